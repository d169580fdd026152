import { jest } from '@jest/globals';
import { schemaProblem } from '@dstack/contract-tools';
import type { Wire } from '@dstack/core';
import { browse, CLIENT, IdentityProvider } from './support/identity-provider.js';
import { startTestServer, type Reply, type TestServer } from './support/start-test-server.js';

const URL_OF_SERVER = 'http://dstack.test';
let idp: IdentityProvider;
let server: TestServer;

beforeAll(async () => {
  // The provider warns of being one for tests.
  for (const level of ['warn', 'info'] as const) jest.spyOn(console, level).mockImplementation(() => undefined);
  idp = await IdentityProvider.start(`${URL_OF_SERVER}/auth/corp/callback`);
  const oidc = {
    name: 'corp',
    issuer: idp.issuer,
    clientId: CLIENT.id,
    clientSecret: CLIENT.secret,
    scopes: 'openid profile email',
    usernameClaim: 'preferred_username',
    groupsClaim: 'groups',
    allowedGroups: ['staff'],
    adminGroups: ['root'],
    projectRoles: [{ group: 'ml', project: 'main', role: 'manager' as const }],
  };
  server = await startTestServer({ url: URL_OF_SERVER, oidc, backgroundProcessing: false, localBackend: false });
}, 60_000);
afterAll(async () => {
  await server.close();
  await idp.close();
});

const open = (path: string, body?: unknown): Promise<Reply> => server.call('POST', path, { token: null, body });
const person = (id: string, claims: object): void =>
  void idp.people.set(id, { preferred_username: id, groups: ['staff'], ...claims });

async function begin(request: object = {}): Promise<URL> {
  const reply = await open('/api/auth/corp/authorize', request);
  if (reply.status !== 200) throw new Error(reply.text);
  return new URL((reply.body as Wire.OAuthAuthorizeResponse).authorization_url);
}

async function arrive(id: string, request: object = {}): Promise<{ code: string; state: string; arrived: URL }> {
  const arrived = await browse((await begin(request)).href, id);
  if (arrived === null) throw new Error('The provider leads nowhere.');
  const [code, state] = [arrived.searchParams.get('code') ?? '', arrived.searchParams.get('state') ?? ''];
  return { code, state, arrived };
}

async function signIn(id: string): Promise<Reply> {
  const { code, state } = await arrive(id);
  return open('/api/auth/corp/callback', { code, state });
}

const rolesIn = async (project: string): Promise<Record<string, string>> => {
  const { members } = (await server.post(`/api/projects/${project}/get`)).body as Wire.Project;
  return Object.fromEntries((members ?? []).map(({ user, project_role }) => [user.username, project_role]));
};

it('is what the server lists, and asks the provider with PKCE, a state and a nonce', async () => {
  expect((await open('/api/auth/list_providers')).body).toEqual([{ name: 'corp', enabled: true }]);
  const [first, second] = [await begin(), await begin()];
  expect(Object.fromEntries(first.searchParams)).toMatchObject({
    response_type: 'code',
    client_id: CLIENT.id,
    code_challenge_method: 'S256',
    redirect_uri: `${URL_OF_SERVER}/auth/corp/callback`,
  });
  for (const name of ['state', 'nonce', 'code_challenge'])
    expect(first.searchParams.get(name)).not.toBe(second.searchParams.get(name));
  expect((await open('/api/auth/other/authorize', {})).status).toBe(400);
});

it('makes the user at the first sign-in, in the projects of its groups, and takes them when it leaves', async () => {
  person('ann', { groups: ['staff', 'ml', 'root'], email: 'ann@example.org', email_verified: true });
  const first = await signIn('ann');
  const user = first.body as Wire.UserWithCreds;
  expect(schemaProblem('auth_callback', 200, user)).toBeUndefined();
  expect(user).toMatchObject({ username: 'ann', global_role: 'admin', email: 'ann@example.org', active: true });
  expect((await server.post('/api/users/get_my_user', undefined, user.creds.token)).status).toBe(200);
  expect(await rolesIn('main')).toEqual({ admin: 'admin', ann: 'manager' });
  person('ann', { groups: ['staff'] });
  expect((await signIn('ann')).body).toMatchObject({ id: user.id, global_role: 'user', creds: user.creds });
  expect(await rolesIn('main')).toEqual({ admin: 'admin' });
  const events = JSON.stringify((await server.post('/api/events/list', { limit: 100 })).body);
  for (const message of [
    'User signed in with corp',
    'Role: none -> manager',
    'Role: manager -> none',
    'Global role: admin -> user',
  ])
    expect(events).toContain(message);
});

it('leaves memberships alone that people made', async () => {
  person('bo', {});
  await signIn('bo');
  await server.post('/api/projects/main/add_members', { members: [{ username: 'bo', project_role: 'user' }] });
  person('bo', { groups: ['staff', 'ml'] });
  await signIn('bo');
  person('bo', {});
  await signIn('bo');
  expect(await rolesIn('main')).toMatchObject({ bo: 'user' });
});

it('lets nobody in who is deactivated, in no group, or calls himself by the name of another', async () => {
  person('out', { groups: ['guests'] });
  expect((await signIn('out')).status).toBe(403);
  person('eve', { preferred_username: 'ADMIN', email: 'root@example.org', email_verified: true });
  expect(await signIn('eve')).toMatchObject({ status: 403, body: { msg: expect.stringContaining('nothing shows') as string } }); // prettier-ignore
  person('cy', {});
  await signIn('cy');
  await server.post('/api/users/update', { username: 'cy', global_role: 'user', active: false });
  expect((await signIn('cy')).text).toContain('deactivated');
});

it('knows whom an admin invited by the address that the provider has verified, by no other', async () => {
  await server.post('/api/users/create', { username: 'dee', global_role: 'user', email: 'Dee@example.org' });
  person('d1', { preferred_username: 'dee', email: 'dee@example.org', email_verified: false });
  expect((await signIn('d1')).status).toBe(403);
  person('d2', { preferred_username: 'dd', email: 'dee@example.org', email_verified: true });
  expect((await signIn('d2')).body).toMatchObject({ username: 'dee' });
});

it('takes an answer once, from its own provider, and only for what was begun here', async () => {
  person('fay', {});
  const { code, state } = await arrive('fay');
  expect((await open('/api/auth/corp/callback', { code: 'guessed', state: 'guessed' })).status).toBe(400);
  const other = await arrive('fay');
  const mixed = await open('/api/auth/corp/callback', { code: other.code, state }); // another verifier, another nonce
  expect(mixed).toMatchObject({ status: 400 });
  expect(mixed.text).not.toContain(other.code);
  expect((await open('/api/auth/corp/callback', { code, state })).text).toContain('was used');
});

it('leads the browser to the command line on its own machine, and nowhere else', async () => {
  person('gil', {});
  const { code, state, arrived } = await arrive('gil', { local_port: 45_678 });
  const elsewhere = arrived.search.replace(/iss=[^&]*/, 'iss=https%3A%2F%2Fevil.test');
  expect((await server.call('GET', `${arrived.pathname}${elsewhere}`, { token: null })).status).toBe(400);
  const there = await server.call('GET', `${arrived.pathname}${arrived.search}`, { token: null });
  const local = `http://127.0.0.1:45678/?${new URLSearchParams({ code, state }).toString()}`;
  expect(there).toMatchObject({ status: 302, headers: { location: local } });
  expect((await open('/api/auth/get_next_redirect', { code, state })).body).toEqual({ redirect_url: local });
  for (const base_url of ['https://evil.test', `${URL_OF_SERVER}.evil.test`, `${URL_OF_SERVER}@evil.test`])
    expect((await open('/api/auth/corp/authorize', { base_url })).status).toBe(400);
  expect((await open('/api/auth/corp/authorize', { local_port: 0 })).status).toBe(422);
  const without = await arrive('gil');
  expect((await open('/api/auth/get_next_redirect', without)).status).toBe(422); // takes no more than code and state
  const answer = { code: without.code, state: without.state };
  expect((await open('/api/auth/get_next_redirect', answer)).body).toEqual({ redirect_url: null });
  const refused = await server.call('GET', '/auth/corp/callback?error=%3Cscript%3E', { token: null });
  expect(refused).toMatchObject({ status: 400, text: expect.stringContaining('&lt;script&gt;') as string });
});

it('tells the command line that waits when the provider lets nobody in', async () => {
  const state = (await begin({ local_port: 45_678 })).searchParams.get('state') ?? '';
  const come = (query: Record<string, string>) =>
    server.call('GET', `/auth/corp/callback?${new URLSearchParams(query).toString()}`, { token: null });
  const local = `http://127.0.0.1:45678/?error=access_denied&state=${state}`;
  expect(await come({ error: 'access_denied', state })).toMatchObject({ status: 302, headers: { location: local } });
  expect((await come({ error: 'access_denied', state: 'guessed' })).status).toBe(400);
  expect((await come({ error: 'access_denied', state, iss: 'https://evil.test' })).status).toBe(400);
  const without = (await begin()).searchParams.get('state') ?? '';
  const page = await come({ error: 'access_denied', state: without });
  expect(page).toMatchObject({
    status: 400,
    text: expect.stringContaining('The provider says: access_denied') as string,
  });
});

it('signs in from a machine without a browser, asking the provider no more often than it wants', async () => {
  person('hal', {});
  const started = (await open('/api/auth/corp/device')).body as Record<string, string>;
  const ask = (id: unknown) => open('/api/auth/corp/device/result', { id });
  expect((await ask(started['id'])).body).toMatchObject({ user: null });
  expect((await ask('guessed')).status).toBe(400);
  expect(await browse(started['verification_uri_complete'] ?? '', 'hal')).toBeNull();
  expect((await ask(started['id'])).body).toMatchObject({ user: null }); // too early
  await server.db.write((tx) => tx.execute('UPDATE begun_sign_ins SET next_poll_at = 0'));
  expect((await ask(started['id'])).body).toMatchObject({ user: { username: 'hal' } });
  expect((await ask(started['id'])).status).toBe(400);
});

it('keeps nothing readable of a sign-in that is under way', async () => {
  const url = await begin();
  await open('/api/auth/corp/device');
  const rows = await server.db.read((tx) => tx.query('SELECT * FROM begun_sign_ins'));
  const text = JSON.stringify(rows);
  for (const name of ['state', 'nonce']) expect(text).not.toContain(url.searchParams.get(name));
  expect(text).not.toContain('deviceCode');
});
