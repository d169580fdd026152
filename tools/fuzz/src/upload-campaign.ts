import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import fc from 'fast-check';
import { AttackedServer } from './attacked-server.js';
import { type Campaign, trial } from './campaign.js';
import { replyProblem } from './reply-problem.js';
import { prepareScene } from './scene.js';

const CASES = 400;
const LIMIT_BYTES = 5_000;

export const uploadCampaign: Campaign = {
  name: 'uploads',
  what: 'code and files sent to the server: wrong names, broken parts, too much of anything',
  open: async () => {
    const server = await AttackedServer.start({ codeUploadLimitBytes: LIMIT_BYTES });
    await prepareScene(server);
    const kept = trial(
      'only content that is what its name says is kept, and nothing is a 5xx',
      CASES,
      fc.asyncProperty(fc.constantFrom(...PATHS), multipart, async ([id, path], { boundary, bytes, file }) => {
        const headers = { authorization: `Bearer ${server.token}`, 'content-type': boundary };
        const reply = await server.http.send({ method: 'POST', path, headers, body: bytes });
        const problem = replyProblem(id, reply);
        if (problem !== undefined) throw new Error(problem);
        const whole = file.content.length <= LIMIT_BYTES && basename(file.name) === sha256(file.content);
        if (reply.status === 200 && !whole) throw new Error(`kept ${JSON.stringify(file.name)}`);
        if (id !== 'files_upload_archive') return;
        // The reader of forms keeps the last part of a path.
        const found = await server.post('/api/files/get_archive_by_hash', { hash: basename(file.name) });
        if (found.status === 200 && !whole)
          throw new Error(`${JSON.stringify(file.name)} is found, and is not what it says`);
      }),
    );
    return { trials: [kept], close: () => server.stop() };
  },
};

const PATHS = [
  ['files_upload_archive', '/api/files/upload_archive'],
  ['project_repos_upload_code', '/api/project/kept/repos/upload_code?repo_id=repo-1'],
  ['project_repos_upload_code', '/api/project/kept/repos/upload_code?repo_id=nope'],
  ['project_repos_upload_code', '/api/project/kept/repos/upload_code'],
] as const;

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

interface File {
  readonly name: string;
  readonly content: Uint8Array;
}

const file: fc.Arbitrary<File> = fc
  .record({
    content: fc.oneof(
      { weight: 5, arbitrary: fc.uint8Array({ minLength: 8, maxLength: 200 }) },
      { weight: 1, arbitrary: fc.constant(new Uint8Array(LIMIT_BYTES + 1)) },
    ),
    name: fc.constantFrom('right', 'right', 'right', 'wrong', 'upper', 'path', 'odd'),
    salt: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  })
  .map(({ content, name, salt }) => {
    const whole = Buffer.concat([content, salt]);
    const right = sha256(whole);
    const names = {
      right,
      wrong: sha256(salt),
      upper: right.toUpperCase(),
      path: `../../${right}`,
      odd: `${right}\u0000.tar`,
    };
    return { content: whole, name: names[name] };
  });

const extra = fc.constantFrom(
  '',
  'Content-Disposition: form-data; name="x"\r\n\r\nvalue',
  `Content-Disposition: form-data; name="x"\r\n\r\n${'v'.repeat(100_000)}`,
  'Content-Disposition: form-data; name="__proto__"\r\n\r\nx',
  'Content-Disposition: form-data; name="toString"; filename="a"\r\n\r\nx',
  'Content-Disposition: attachment\r\n\r\n',
  'Content-Disposition: form-data; name="file"\r\n\r\nnot a file',
  `X: ${'h'.repeat(20_000)}\r\nContent-Disposition: form-data; name="y"\r\n\r\n`,
  `${'A: b\r\n'.repeat(3_000)}\r\n`,
  'no header at all',
);

/** A body of parts, one of them the file; cut off at times, and announced by a wrong boundary at others. */
const multipart = fc
  .record({
    file,
    before: fc.array(extra, { maxLength: 2 }),
    after: fc.array(extra, { maxLength: 1 }),
    boundary: fc.constantFrom('b', 'b', 'b', '', 'other', 'x'.repeat(300), '"b"', 'b; charset=utf-8', '--'),
    field: fc.constantFrom('file', 'file', 'file', 'File', '', '__proto__'),
    cut: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 4, nil: undefined }),
    times: fc.constantFrom(1, 1, 1, 1, 1_500),
  })
  .map(({ file: sent, before, after, boundary, field, cut, times }) => {
    const head = `Content-Disposition: form-data; name="${field}"; filename="${sent.name}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
    const other = (texts: readonly string[]): Buffer[] =>
      texts.map((text) => Buffer.from(`--b\r\n${text}\r\n`, 'latin1'));
    const first = Array.from({ length: times }, () => other(before))
      .flat()
      .slice(0, 3_000);
    const parts = [
      ...first,
      Buffer.from(`--b\r\n${head}`, 'latin1'),
      sent.content,
      Buffer.from('\r\n'),
      ...other(after),
      Buffer.from('--b--\r\n'),
    ];
    const bytes = Buffer.concat(parts).subarray(0, 20_000_000);
    return {
      file: sent,
      boundary: `multipart/form-data; boundary=${boundary}`,
      bytes: cut === undefined ? bytes : bytes.subarray(0, Math.floor(bytes.length * cut)),
    };
  });
