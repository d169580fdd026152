import type { NewToken, Wire } from '@dstack/core';
import { realWorld } from '../src/world/real-world.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';

let server: TestServer;
let now = Date.now();
const world = { ...realWorld(), clock: { now: () => now } };

beforeAll(async () => {
  server = await startTestServer({ backgroundProcessing: false }, { world });
});
afterAll(() => server.close());

const ask = async <T>(path: string, body: unknown, token?: string): Promise<T> => {
  const reply = await server.post(`/api/${path}`, body, token);
  if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.text}`);
  return reply.body as T;
};
const status = async (path: string, body: unknown, token?: string): Promise<number> =>
  (await server.post(`/api/${path}`, body, token)).status;
const messages = async (): Promise<string[]> =>
  (await ask<Wire.Event[]>('events/list', {})).map(({ message, actor_user }) => `${actor_user}: ${message}`);

describe('a token beside the one of a user', () => {
  it('lets in until it expires, is told once, and makes and shows no others', async () => {
    await ask('users/create', { username: 'ann', global_role: 'user' });
    const { creds } = await ask<Wire.UserWithCreds>('users/get_user', { username: 'ann' });
    const made = await ask<NewToken>('users/tokens/create', { name: 'ci', expires_in: 60 }, creds.token);
    const me = await ask<Wire.UserWithCreds>('users/get_my_user', {}, made.token);
    expect(me).toMatchObject({ username: 'ann', creds: { token: '' } });
    expect(await status('users/tokens/create', { name: 'more' }, made.token)).toBe(403);
    expect(await status('users/refresh_token', { username: 'ann' }, made.token)).toBe(403);
    const listed = await server.post('/api/users/tokens/list', {}, creds.token);
    expect(listed.body).toMatchObject([{ name: 'ci', expired: false }]);
    expect(listed.text).not.toContain(made.token);
    expect(await status('users/tokens/create', { name: 'ci' }, creds.token)).toBe(400);
    now += 61_000;
    expect(await status('users/get_my_user', {}, made.token)).toBe(403);
    expect(await ask('users/tokens/list', {}, creds.token)).toMatchObject([{ name: 'ci', expired: true }]);
  });

  it('is taken back, and ends with its user', async () => {
    const one = await ask<NewToken>('users/tokens/create', { name: 'one', username: 'ann' });
    const two = await ask<NewToken>('users/tokens/create', { name: 'two', username: 'ann' });
    await ask('users/tokens/delete', { names: ['one'], username: 'ann' });
    expect(await status('users/get_my_user', {}, one.token)).toBe(403);
    expect(await status('users/get_my_user', {}, two.token)).toBe(200);
    expect(await status('users/tokens/delete', { names: ['one'], username: 'ann' })).toBe(400);
    await ask('users/delete', { users: ['ann'] });
    expect(await status('users/get_my_user', {}, two.token)).toBe(403);
  });

  it.each([[{ name: '' }], [{ name: 'a b' }], [{}], [{ name: 'a', expires_in: 0 }], [{ name: 'a', more: 1 }], [[]]])(
    'is refused when asked for as %j',
    async (body) => expect(await status('users/tokens/create', body)).toBe(422),
  );
});

describe('a service account', () => {
  it('has no token of its own, roles in projects, and only tokens that were made for it', async () => {
    await ask('users/service_accounts/create', { username: 'builder' });
    await ask('projects/main/add_members', { members: [{ username: 'builder', project_role: 'user' }] });
    const user = await ask<Wire.UserWithCreds>('users/get_user', { username: 'builder' });
    expect(user.creds.token).toBe('');
    const { token } = await ask<NewToken>('users/tokens/create', { name: 'ci', username: 'builder' });
    expect(await ask('project/main/runs/get_plan', { run_spec: { configuration: { type: 'task', commands: ['true'] } } }, token)).toBeDefined(); // prettier-ignore
    expect(await status('project/main/secrets/list', {}, token)).toBe(403);
    expect(await status('users/update', { username: 'builder', global_role: 'admin' })).toBe(400);
    const fresh = await ask<Wire.UserWithCreds>('users/refresh_token', { username: 'builder' });
    expect(fresh.creds.token).toBe('');
    const [stored] = await server.db.read((tx) => tx.query<{ token: string }>(`SELECT token FROM users WHERE name = 'builder'`)); // prettier-ignore
    const own = await server.db.read(async (tx) => tx.sealing.open(stored?.token ?? ''));
    expect(await status('users/get_my_user', {}, own)).toBe(403);
    expect(await ask('users/service_accounts/list', {}, token)).toMatchObject([{ username: 'builder' }]);
  });
});

describe('the events of a change', () => {
  it('tell who changed what from what, and no secret', async () => {
    await ask('users/create', { username: 'bob', global_role: 'user' });
    await ask('users/update', { username: 'bob', global_role: 'admin', email: 'bob@example.org', active: true });
    await ask('projects/main/update', { is_public: true });
    await ask('projects/main/add_members', { members: [{ username: 'bob', project_role: 'user' }] });
    await ask('projects/main/add_members', { members: [{ username: 'bob', project_role: 'manager' }] });
    await ask('projects/main/remove_members', { usernames: ['bob'] });
    const lambda = (key: string, regions: string[]): unknown => ({ type: 'lambda', regions, creds: { type: 'api_key', api_key: key } }); // prettier-ignore
    await ask('project/main/backends/create', lambda('canary-1', ['us-east-1']));
    await ask('project/main/backends/update', lambda('canary-2', ['us-west-1']));
    await ask('project/main/secrets/create_or_update', { name: 's', value: 'canary-3' });
    const told = await messages();
    for (const message of [
      'admin: User updated. global_role: user → admin; email: none → bob@example.org',
      'admin: Project updated. is_public: false → true',
      'admin: Project member set to role user',
      'admin: Project member set to role manager. role: user → manager',
      'admin: Project member removed. role: manager → none',
      'admin: Backend lambda updated. regions: ["us-east-1"] → ["us-west-1"]; creds changed',
      'admin: Secret created',
    ])
      expect(told).toContain(message);
    expect(told.join('\n')).not.toContain('canary');
  });
});
