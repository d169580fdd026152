import { createHash } from 'node:crypto';
import { startTestServer, type Reply, type TestServer } from './support/start-test-server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ codeUploadLimitBytes: 1_000 });
});
afterAll(() => server.close());

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');

function upload(path: string, name: string, content: string): Promise<Reply> {
  const boundary = 'xxBOUNDARYxx';
  const body =
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n` +
    `Content-Type: application/octet-stream\r\n\r\n${content}\r\n--${boundary}--\r\n`;
  return server.call('POST', path, { body, headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } });
}

const archive = '/api/files/upload_archive';

it('stores an archive once, found by its hash by its owner only', async () => {
  const hash = sha256('hello');
  const first = await upload(archive, hash, 'hello');
  expect([first.status, first.body]).toEqual([200, { id: expect.any(String) as unknown, hash }]);
  expect((await upload(archive, hash, 'hello')).body).toEqual(first.body);
  expect((await server.post('/api/files/get_archive_by_hash', { hash })).body).toEqual(first.body);
  await server.post('/api/users/create', { username: 'ann', global_role: 'user' });
  const { body } = await server.post('/api/users/get_user', { username: 'ann' });
  const { token } = (body as { creds: { token: string } }).creds;
  expect((await server.post('/api/files/get_archive_by_hash', { hash }, token)).body).toMatchObject({
    detail: [{ code: 'resource_not_exists' }],
  });
});

it('refuses content that is not what its name says', async () => {
  const reply = await upload(archive, sha256('something else'), 'hello');
  expect([reply.status, reply.text]).toEqual([400, expect.stringContaining(sha256('hello'))]);
  expect((await server.post('/api/files/get_archive_by_hash', { hash: sha256('something else') })).status).toBe(400);
});

it('counts the bytes that come, not those that are announced', async () => {
  const big = 'x'.repeat(1_001);
  const reply = await upload(archive, sha256(big), big);
  expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('DSTACK_SERVER_CODE_UPLOAD_LIMIT')]);
  const fits = 'x'.repeat(1_000);
  expect((await upload(archive, sha256(fits), fits)).status).toBe(200);
});

it.each([
  ['a boundary that never comes', 'other', ''],
  ['a body that breaks off', 'b', '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nhel'],
  ['a thousand fields', 'b', '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nv\r\n'.repeat(1_000)],
])('refuses %s', async (_what, boundary, content) => {
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
  const reply = await server.call('POST', archive, { body: content === '' ? '--b--' : content, headers });
  expect([400, 413]).toContain(reply.status);
  expect(reply.body).toMatchObject({ detail: [{ code: 'error' }] });
});

it('takes code for a repo that is initialised', async () => {
  const path = '/api/project/main/repos/upload_code?repo_id=r';
  expect((await upload(path, sha256('diff'), 'diff')).body).toMatchObject({
    detail: [{ code: 'repo_does_not_exist' }],
  });
  await server.post('/api/project/main/repos/init', { repo_id: 'r', repo_info: { repo_type: 'virtual' } });
  const reply = await upload(path, sha256('diff'), 'diff');
  expect([reply.status, reply.text]).toEqual([200, 'null']);
});
