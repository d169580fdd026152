import { startTestServer, type CallOptions, type TestServer } from './support/start-test-server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.post('/api/users/create', { username: 'ann', global_role: 'user' });
});
afterAll(() => server.close());

const aText: unknown = expect.any(String);
const error400 = (code: string | null): unknown => ({ detail: [{ msg: aText, code }] });
const errorObject = { detail: { msg: aText, code: null } };
const item = (type: string, ...loc: (string | number)[]): unknown => ({
  detail: [expect.objectContaining({ type, loc: ['body', ...loc], msg: aText })],
});

it('shows people who come with a browser where they are', async () => {
  const page = await server.call('GET', '/', { token: null });
  expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  expect(page.text).toMatch(/^<!doctype html>[^]*dstack/i);
});

describe('every error has the envelope of the contract', () => {
  const cases: [string, string, CallOptions, number, unknown][] = [
    ['no token', '/api/users/list', { token: null }, 401, { detail: 'Not authenticated' }],
    [
      'another scheme',
      '/api/users/list',
      { token: null, headers: { authorization: 'Basic eA==' } },
      401,
      { detail: 'Not authenticated' },
    ],
    ['an unknown token', '/api/users/list', { token: 'nope' }, 403, errorObject],
    ['no such project', '/api/projects/zz/get', {}, 404, errorObject],
    ['an unknown token before the project', '/api/projects/zz/get', { token: 'nope' }, 403, errorObject],
    ['the project before the body', '/api/project/zz/secrets/get', { body: {} }, 404, errorObject],
    [
      'a broken body before the token',
      '/api/users/create',
      { token: 'nope', body: '{"a' },
      422,
      item('json_invalid', 0),
    ],
    [
      'a broken body where none is read',
      '/api/server/get_info',
      { token: null, body: '{"a' },
      200,
      { server_version: '0.21.2' },
    ],
    [
      'JSON without its media type',
      '/api/users/create',
      { body: '{}', headers: { 'content-type': 'text/plain' } },
      422,
      item('model_attributes_type'),
    ],
    ['no body', '/api/users/create', {}, 422, item('missing')],
    [
      'an unknown key',
      '/api/users/create',
      { body: { username: 'x', global_role: 'user', x: 1 } },
      422,
      item('extra_forbidden', 'x'),
    ],
    [
      'an unknown value',
      '/api/users/create',
      { body: { username: 'x', global_role: 'king' } },
      422,
      item('enum', 'global_role'),
    ],
    ['a number where a list belongs', '/api/users/delete', { body: { users: 1 } }, 422, item('list_type', 'users')],
    ['a wrong item of a list', '/api/users/delete', { body: { users: [{}] } }, 422, item('string_type', 'users', 0)],
    [
      'an unknown tag',
      '/api/project/main/repos/init',
      { body: { repo_id: 'r', repo_info: { repo_type: 'x' } } },
      422,
      item('union_tag_invalid', 'repo_info'),
    ],
    [
      'a tag that only a prototype has',
      '/api/project/main/repos/init',
      { body: { repo_id: 'r', repo_info: { repo_type: 'hasOwnProperty' } } },
      422,
      item('union_tag_invalid', 'repo_info'),
    ],
    [
      'a text that is no UUID',
      '/api/users/public_keys/delete',
      { body: { ids: ['x'] } },
      422,
      item('uuid_parsing', 'ids', 0),
    ],
    [
      'a missing query parameter',
      '/api/project/main/repos/upload_code',
      {},
      422,
      { detail: [expect.objectContaining({ type: 'missing', loc: ['query', 'repo_id'] })] },
    ],
    ['an upload without a file', '/api/files/upload_archive', {}, 422, item('missing', 'file')],
    ['a newer client', '/api/users/list', { headers: { 'x-api-version': '0.22.0' } }, 400, error400('error')],
    [
      'a newer patch',
      '/api/server/get_info',
      { headers: { 'x-api-version': '0.21.9' } },
      200,
      { server_version: '0.21.2' },
    ],
    [
      'the newest client',
      '/api/server/get_info',
      { headers: { 'x-api-version': 'latest' } },
      200,
      { server_version: '0.21.2' },
    ],
    [
      'a version like 1.2rc1.post3.dev4+local',
      '/api/server/get_info',
      { headers: { 'x-api-version': '0.21rc1.post3.dev4+local.1' } },
      200,
      { server_version: '0.21.2' },
    ],
    ['a version that is none', '/api/users/list', { headers: { 'x-api-version': 'abc' } }, 400, error400(null)],
    [
      'what is not there',
      '/api/project/main/imports/delete',
      { body: { export_name: 'x', export_project_name: 'y' } },
      400,
      error400('resource_not_exists'),
    ],
    [
      'the token before what is not there',
      '/api/project/main/imports/delete',
      { token: 'nope', body: { export_name: 'x', export_project_name: 'y' } },
      403,
      errorObject,
    ],
    ['no such route', '/api/nope', {}, 404, { detail: 'Not Found' }],
    ['no service account', '/api/sshproxy/get_upstream', { body: { id: '0' } }, 403, errorObject],
  ];
  it.each(cases)('%s', async (_case, path, options, status, body) => {
    const reply = await server.call('POST', path, options);
    expect({ status: reply.status, body: reply.body }).toEqual({ status, body });
  });

  it('tells the scheme with a 401', async () => {
    expect((await server.call('POST', '/api/users/list', { token: null })).headers['www-authenticate']).toBe('Bearer');
  });

  it('answers the wrong method with 405 and a trailing slash with 307', async () => {
    expect((await server.call('GET', '/api/users/list')).status).toBe(405);
    const redirected = await server.call('POST', '/api/users/list/?a=1');
    expect([redirected.status, redirected.headers['location']]).toEqual([307, '/api/users/list?a=1']);
  });

  it.each([
    ['a version', { token: null, headers: { 'x-api-version': `1${'a.'.repeat(40)}!` } }, 400],
    ['a number', { body: { limit: `${'1'.repeat(100_000)}!` } }, 422],
  ] satisfies [string, CallOptions, number][])(
    'answers %s that is hard to refuse at once',
    async (_case, options, status) => {
      const before = process.cpuUsage();
      const reply = await server.call('POST', '/api/users/list', options);
      expect([reply.status, process.cpuUsage(before).user < 1_000_000]).toEqual([status, true]);
    },
  );

  const huge = 'x'.repeat(7 * 1024 * 1024);
  it.each([
    ['fields that are missing beside a long text', '/api/project/main/backends/create', JSON.stringify({ x: huge })],
    ['a million wrong items', '/api/users/delete', JSON.stringify({ users: Array<object>(1_000_000).fill([]) })],
    ['unknown keys', '/api/users/delete', `{${Array.from({ length: 300_000 }, (_key, i) => `"k${i}":1`).join()}}`],
    ['lists in lists', '/api/users/delete', '['.repeat(3_000_000) + ']'.repeat(3_000_000)],
    [
      'lists in lists in a spec',
      '/api/project/main/runs/get_plan',
      `{"run_spec":${'['.repeat(1e6)}${']'.repeat(1e6)}}`,
    ],
  ])('tells what is wrong in few words: %s', async (_case, path, body) => {
    const reply = await server.call('POST', path, { body });
    expect([reply.status, reply.text.length < 100_000]).toEqual([422, true]);
    expect((reply.body as { detail: unknown[] }).detail.length).toBeLessThanOrEqual(100);
  });

  it('tells the first of a million wrong references', async () => {
    const configuration = { type: 'task', commands: ['${{ secrets.a }}'.repeat(300_000)] };
    const reply = await server.post('/api/project/main/runs/get_plan', { run_spec: { configuration } });
    expect([reply.status, reply.text.length < 100_000]).toEqual([400, true]);
  });

  it('refuses a list that the database cannot look up at once', async () => {
    const reply = await server.post('/api/project/main/secrets/delete', {
      secrets_names: Array.from({ length: 40_000 }, (_name, index) => `s${index}`),
    });
    expect([reply.status, reply.body]).toEqual([400, error400('error')]);
  });

  it('turns away a body that is too large', async () => {
    const reply = await server.post('/api/users/create', {
      username: 'x'.repeat(33 * 1024 * 1024),
      global_role: 'user',
    });
    expect([reply.status, reply.body]).toEqual([413, { detail: 'Request body is too large' }]);
  });

  it.each(['__proto__', 'constructor'])('takes a key named %s for what it is: unknown', async (key) => {
    const reply = await server.call('POST', '/api/users/list', { body: `{"${key}": {"x": 1}}` });
    expect([reply.status, reply.body]).toEqual([422, item('extra_forbidden', key)]);
  });
});

it('takes numbers and their text for each other, and fills in defaults', async () => {
  const reply = await server.post('/api/users/list', { limit: '1', return_total_count: 'yes' });
  expect(reply.body).toMatchObject({ total_count: 2, users: [{ username: 'ann' }] });
});

it('replies null where there is no result', async () => {
  const reply = await server.post('/api/project/main/repos/init', {
    repo_id: 'r',
    repo_info: { repo_type: 'virtual' },
  });
  expect([reply.status, reply.text, reply.headers['content-type']]).toEqual([
    200,
    'null',
    'application/json; charset=utf-8',
  ]);
});

it('keeps the request id it is given and makes one otherwise', async () => {
  const given = await server.call('GET', '/healthcheck', { headers: { 'x-request-id': 'abc' } });
  expect(given.headers['x-request-id']).toBe('abc');
  expect((await server.call('GET', '/healthcheck')).headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
});

it('describes every operation of the contract it routes', async () => {
  const { body } = await server.call('GET', '/api/docs/openapi.json', { token: null });
  const { paths } = body as { paths: Record<string, Record<string, { operationId?: string }>> };
  const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
  expect(ids).toEqual(expect.arrayContaining(['users_list', 'project_runs_apply', 'files_upload_archive', 'metrics']));
  expect((await server.call('GET', '/api/docs', { token: null })).text).toContain('/api/users/list');
});
