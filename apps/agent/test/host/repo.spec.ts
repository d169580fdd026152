import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFile, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import type { JobStart } from '@dstack/agent-protocol';
import { AgentProcess, readLog, waitForEnd } from '../support/agent-process.js';
import { processJob } from '../support/job-builder.js';

const soon = (): AbortSignal => AbortSignal.timeout(10_000);
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function tar(entries: Readonly<Record<string, string>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(entries)) archive.entry({ name }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('what a job finds in its directory', () => {
  let agent: AgentProcess;
  let origin: string;
  let first: string;
  let diff: Buffer;
  let web: Server;
  let url: string;
  let authorization: string | undefined;

  beforeAll(async () => {
    agent = await AgentProcess.start();
    origin = mkdtempSync(join(tmpdir(), 'origin-'));
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', origin, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args]).toString();
    git('init', '-q', '-b', 'main');
    writeFileSync(join(origin, 'file'), 'one\n');
    git('add', '.');
    git('commit', '-qm', 'one');
    first = git('rev-parse', 'HEAD').trim();
    writeFileSync(join(origin, 'file'), 'two\n');
    git('commit', '-qam', 'two');
    writeFileSync(join(origin, 'file'), 'changed\n');
    writeFileSync(join(origin, 'new'), 'new\n');
    git('add', '.');
    diff = Buffer.from(git('diff', '--binary', 'HEAD'));
    git('reset', '-q', '--hard');
    git('update-server-info');
    web = createServer((request, response) => {
      authorization = request.headers.authorization;
      readFile(
        join(origin, '.git', new URL(request.url ?? '/', 'http://x').pathname.replace('/repo.git/', '')),
        (error, content) => {
          response.writeHead(error === null ? 200 : 404);
          response.end(error === null ? content : undefined);
        },
      );
    }).listen(0, '127.0.0.1');
    await once(web, 'listening');
    url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/repo.git`;
  });
  afterAll(async () => {
    await agent.close();
    web.close();
    rmSync(origin, { recursive: true });
  });

  async function run(
    job: JobStart,
    blobs: readonly Buffer[],
  ): Promise<{ log: string; message: string; reason: string }> {
    const client = agent.client();
    await client.start(job, soon());
    for (const blob of blobs) await client.uploadBlob(job.id, sha256(blob), blob, soon());
    const end = await waitForEnd(client, job.id);
    const log = await readLog(client, job.id);
    client.close();
    return { log: log.replaceAll('\r\n', '\n'), message: end.message ?? '', reason: end.reason ?? '' };
  }

  const remote = {
    kind: 'remote',
    url: '',
    path: 'repo',
    ifExists: 'error',
    singleBranch: false,
    branch: 'main',
  } as const;

  it('the repo at a commit, with the local changes and the user’s name', async () => {
    const job = processJob(
      'cd repo; cat file new; git config user.name; echo $DSTACK_REPO_DIR; stat -c %u file; id -u',
      {
        repo: { ...remote, url, diffBlob: sha256(diff), userName: 'Jo', credentials: { oauthToken: 'token' } },
      },
    );
    const { log, message } = await run(job, [diff]);
    expect(message).toBe('');
    const lines = log.trim().split('\n');
    expect(lines.slice(0, 3)).toEqual(['changed', 'new', 'Jo']);
    expect(lines[3]).toMatch(/\/repo$/);
    expect(lines[4]).toBe(lines[5]);
    expect(authorization).toBe(`Basic ${Buffer.from('anything:token').toString('base64')}`);
  });

  it('the repo detached at an older commit', async () => {
    const job = processJob('cd repo; cat file; git symbolic-ref -q HEAD || echo detached', {
      repo: { ...remote, url, hash: first },
    });
    expect((await run(job, [])).log).toBe('one\ndetached\n');
  });

  it('a repo that cannot be cloned ends the job, and says why', async () => {
    const job = processJob('true', { repo: { ...remote, url: 'file:///no/such/repo' } });
    const { reason, message } = await run(job, []);
    expect(reason).toBe('container_exited_with_error');
    expect(message).toContain('Failed to set up the repo');
    expect(message).toContain('/no/such/repo');
  });

  it('an unpacked archive, and files under the names they were given', async () => {
    const archive = await tar({ 'a/b': 'from the archive\n' });
    const file = await tar({ original: 'a file\n' });
    const job = processJob('cat repo/a/b ~/new/name', {
      repo: { kind: 'archive', path: 'repo', ifExists: 'error', blob: sha256(archive) },
      files: [{ blob: sha256(file), path: '~/new/name' }],
    });
    expect((await run(job, [archive, file])).log).toBe('from the archive\na file\n');
  });
});
