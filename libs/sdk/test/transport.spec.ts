import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { jest } from '@jest/globals';
import { Dstack, isApiError, isDstackError, type SlowRequest } from '../src/index.js';
import { FakeServer, sendJson } from './fake-server.js';

describe('the transport', () => {
  let server: FakeServer;
  let client: Dstack;
  beforeEach(async () => {
    server = await FakeServer.start();
    client = new Dstack({ url: `${server.url}/`, token: 'secret-token' });
  });
  afterEach(() => server.close());

  it('sends token and API version', async () => {
    server.json('/api/server/get_info', { server_version: '0.21.2' });
    expect(await client.server.info()).toEqual({ server_version: '0.21.2' });
    expect(server.received[0]?.headers).toMatchObject({
      authorization: 'Bearer secret-token',
      'x-api-version': '0.21.2',
    });
  });

  it('speaks to a unix socket, as runs with access to the server do', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'dstack-sdk-')), 'server.sock');
    const listener = createServer((_request, response) => response.end('{"server_version":"1"}'));
    await new Promise<void>((resolve) => listener.listen(path, resolve));
    try {
      const inside = new Dstack({ url: `http+unix://${encodeURIComponent(path)}`, token: 't' });
      expect(await inside.server.info()).toEqual({ server_version: '1' });
    } finally {
      listener.closeAllConnections();
      listener.close();
      rmSync(dirname(path), { recursive: true });
    }
  });

  it('goes through the proxy that the environment names', async () => {
    server.json('/api/server/get_info', { server_version: 'through the proxy' });
    process.env['http_proxy'] = server.url;
    try {
      const outside = new Dstack({ url: 'http://dstack.invalid', token: 't' });
      expect(await outside.server.info()).toEqual({ server_version: 'through the proxy' });
    } finally {
      delete process.env['http_proxy'];
    }
    expect(server.received[0]?.headers.host).toBe('dstack.invalid');
  });

  it('sends what a query names and leaves out what is undefined', async () => {
    server.on('/api/project/main/repos/upload_code', (_, response) => sendJson(response, null));
    await client.repos.uploadCode('a b', 'hash', Buffer.from('code'));
    expect([...(server.received[0]?.query ?? [])]).toEqual([['repo_id', 'a b']]);
  });

  it('ends a reply that breaks off as a lost connection', async () => {
    server.on('/api/server/get_info', (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{');
      setImmediate(() => response.destroy());
    });
    await expect(client.server.info()).rejects.toMatchObject({ kind: 'connection', neverSent: false });
  });

  it('repeats a read that met a busy server', async () => {
    let calls = 0;
    server.on('/api/users/get_my_user', (_, response) =>
      ++calls < 3 ? sendJson(response, {}, 503) : sendJson(response, { username: 'alice' }),
    );
    expect((await client.users.me()).username).toBe('alice');
    expect(calls).toBe(3);
  });

  it('does not repeat a write whose reply was lost', async () => {
    server.on('/api/project/main/secrets/create_or_update', (_, response) => void response.destroy());
    await expect(client.secrets.set('a', 'b')).rejects.toMatchObject({ kind: 'connection' });
    expect(server.received).toHaveLength(1);
  });

  it('repeats a submission with a key of the caller, under the same key', async () => {
    server.on('/api/project/main/runs/apply', (_, response) =>
      server.received.length === 1 ? void response.destroy() : sendJson(response, { id: '1' }),
    );
    await client.runs.submit({ run_spec: { configuration: { type: 'task' } } }, { idempotencyKey: 'k1' });
    expect(server.received.map((each) => each.headers['x-idempotency-key'])).toEqual(['k1', 'k1']);
  });

  it.each([
    [401, { detail: 'Not authenticated' }, 'unauthenticated', 'Not authenticated'],
    [403, { detail: { msg: 'Invalid token', code: null } }, 'unauthenticated', 'Invalid token'],
    [403, { msg: 'Access denied', code: null }, 'forbidden', 'Access denied'],
    [404, { detail: 'Not Found' }, 'not-found', 'Not Found'],
    [400, { detail: [{ msg: 'Resource not found', code: 'resource_not_exists' }] }, 'not-found', 'Resource not found'],
    [400, { detail: [{ msg: 'exists', code: 'resource_exists' }] }, 'conflict', 'exists'],
    [400, { detail: [{ msg: 'bad', code: 'error', fields: ['run_spec', 'name'] }] }, 'invalid', 'run_spec.name: bad'],
    [422, { detail: [{ type: 'x', loc: ['body', 'name'], msg: 'missing' }] }, 'invalid', 'name: missing'],
    [501, { detail: [{ msg: 'not built', code: 'error' }] }, 'unsupported', 'not built'],
    [400, { detail: 'Filename too long' }, 'invalid', 'Filename too long'],
  ])('tells %i %j as %s', async (status, body, kind, message) => {
    server.json('/api/project/main/secrets/list', body, status);
    const error: unknown = await client.secrets.list().catch((caught: unknown) => caught);
    expect(isApiError(error) && error.details.status).toBe(status);
    expect(error).toMatchObject({ kind, message });
  });

  it('says so when nobody answers', async () => {
    const gone = new Dstack({ url: 'http://127.0.0.1:9', token: 't' });
    const error: unknown = await gone.server.info().catch((caught: unknown) => caught);
    expect(isDstackError(error, 'connection') && error.hint).toContain('dstack server');
  });

  it('times out', async () => {
    server.on('/api/server/get_info', () => undefined);
    await expect(client.server.info({ timeoutMs: 50 })).rejects.toMatchObject({ kind: 'timeout' });
  });

  it('tells of a request that waits for its answer, and of no other', async () => {
    const told: SlowRequest[] = [];
    const patient = new Dstack({ url: server.url, token: 't', onSlow: (request) => told.push(request) });
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    server.json('/api/users/get_my_user', {});
    server.on('/api/server/get_info', async (_, response) => {
      asked.resolve();
      await answered.promise;
      sendJson(response, {});
    });
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
    try {
      await patient.users.me();
      const slow = patient.server.info();
      await asked.promise;
      jest.advanceTimersByTime(4_999);
      expect(told).toEqual([]);
      jest.advanceTimersByTime(1);
      answered.resolve();
      await slow;
      jest.advanceTimersByTime(60_000);
    } finally {
      jest.useRealTimers();
    }
    expect(told).toEqual([{ url: server.url, path: '/api/server/get_info', waitedMs: 5_000, timeoutMs: 60_000 }]);
  });

  it('can be cancelled', async () => {
    const controller = new AbortController();
    server.on('/api/server/get_info', () => controller.abort());
    await expect(client.server.info({ signal: controller.signal })).rejects.toMatchObject({ kind: 'aborted' });
  });

  it('uploads an archive only when the server lacks it', async () => {
    server.json('/api/files/get_archive_by_hash', { detail: [{ msg: 'no', code: 'resource_not_exists' }] }, 400);
    server.json('/api/files/upload_archive', { id: 'a', hash: 'h' });
    expect(await client.files.ensureArchive(Buffer.from('tar'))).toEqual({ id: 'a', hash: 'h' });
    server.json('/api/files/get_archive_by_hash', { id: 'b', hash: 'h' });
    expect((await client.files.ensureArchive(Buffer.from('tar'))).id).toBe('b');
    const uploads = server.received.filter((each) => each.path.endsWith('upload_archive'));
    expect(uploads).toHaveLength(1);
    const form = await new Response(String(uploads[0]?.body), {
      headers: { 'content-type': uploads[0]?.headers['content-type'] ?? '' },
    }).formData();
    const file = form.get('file') as File;
    expect([file.name, await file.text()]).toEqual([createHash('sha256').update('tar').digest('hex'), 'tar']);
  });
});
