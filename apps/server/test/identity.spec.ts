import { EventRetention } from '../src/events/event-retention.js';
import { startTestServer, type Reply, type TestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';

let server: TestServer;

/** Creates a user and returns their token. */
async function user(name: string, role = 'user'): Promise<string> {
  await server.post('/api/users/create', { username: name, global_role: role });
  const { body } = await server.post('/api/users/get_user', { username: name });
  return (body as { creds: { token: string } }).creds.token;
}

const brief = ({ status, body }: Reply): unknown => {
  const { detail, msg } = (body ?? {}) as { detail?: unknown; msg?: string };
  if (status < 400) return status;
  return [
    status,
    msg === undefined ? (Array.isArray(detail) ? (detail[0] as { code: string }).code : 'detail') : 'msg',
  ];
};

async function members(): Promise<Record<string, string>> {
  const { body } = await server.post('/api/projects/p/get');
  const list = (body as { members: { user: { username: string }; project_role: string }[] }).members;
  return Object.fromEntries(list.map((member) => [member.user.username, member.project_role]));
}

describe.each(testDatabases())('on $name', ({ location }) => {
  beforeEach(async () => {
    server = await startTestServer({ database: await location(), backgroundProcessing: false });
  });
  afterEach(() => server.close());

  describe('users', () => {
    it('see and refresh themselves, not others', async () => {
      const ann = await user('ann');
      await user('bob');
      expect((await server.post('/api/users/list', {}, ann)).body).toMatchObject([{ username: 'ann' }]);
      expect(brief(await server.post('/api/users/get_user', { username: 'bob' }, ann))).toEqual([403, 'detail']);
      expect(brief(await server.post('/api/users/create', { username: 'x', global_role: 'user' }, ann))).toEqual([
        403,
        'detail',
      ]);
      const refreshed = await server.post('/api/users/refresh_token', { username: 'ann' }, ann);
      const fresh = (refreshed.body as { creds: { token: string } }).creds.token;
      expect(fresh).not.toBe(ann);
      expect(brief(await server.post('/api/users/get_my_user', undefined, ann))).toEqual([403, 'detail']);
      expect(brief(await server.post('/api/users/get_my_user', undefined, fresh))).toBe(200);
    });

    it('conflict when names differ by case only, and are free again after deletion', async () => {
      await user('ann');
      expect(brief(await server.post('/api/users/create', { username: 'ANN', global_role: 'user' }))).toEqual([
        400,
        'resource_exists',
      ]);
      expect(brief(await server.post('/api/users/delete', { users: ['ann'] }))).toBe(200);
      expect(brief(await server.post('/api/users/create', { username: 'ann', global_role: 'user' }))).toBe(200);
    });

    it('lose access at once when they are deactivated', async () => {
      const ann = await user('ann');
      await server.post('/api/users/update', { username: 'ann', global_role: 'user', active: false });
      expect(brief(await server.post('/api/users/get_my_user', undefined, ann))).toEqual([403, 'detail']);
    });

    it('keep one active global admin', async () => {
      expect(brief(await server.post('/api/users/update', { username: 'admin', global_role: 'user' }))).toEqual([
        400,
        'error',
      ]);
      expect(brief(await server.post('/api/users/delete', { users: ['admin'] }))).toEqual([400, 'error']);
    });

    it('bring public keys, each once', async () => {
      const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILdSIbl9itA0nH69YycIMeF8BGm2OlJs/Gbqi1cmscE9 laptop';
      const added = await server.post('/api/users/public_keys/add', { key });
      expect(added.body).toMatchObject({
        name: 'laptop',
        type: 'ssh-ed25519',
        fingerprint: expect.stringMatching(/^SHA256:/) as unknown,
      });
      expect(brief(await server.post('/api/users/public_keys/add', { key }))).toEqual([400, 'resource_exists']);
      const { id } = added.body as { id: string };
      expect(brief(await server.post('/api/users/public_keys/delete', { ids: [id] }))).toBe(200);
      expect((await server.post('/api/users/public_keys/list')).body).toEqual([]);
    });
  });

  describe('projects', () => {
    it('are seen by members, and by everybody once public', async () => {
      const ann = await user('ann');
      await server.post('/api/projects/create', { project_name: 'p' });
      expect(brief(await server.post('/api/projects/p/get', undefined, ann))).toEqual([403, 'detail']);
      expect((await server.post('/api/projects/list', {}, ann)).body).toEqual([]);
      await server.post('/api/projects/p/update', { is_public: true });
      expect(brief(await server.post('/api/projects/p/get', undefined, ann))).toBe(200);
      expect((await server.post('/api/projects/list', {}, ann)).body).toMatchObject([{ project_name: 'p' }]);
      expect((await server.post('/api/projects/list', { include_not_joined: false }, ann)).body).toEqual([]);
    });

    it('let a visitor of a public project join as user and as nothing else', async () => {
      const ann = await user('ann');
      await server.post('/api/projects/create', { project_name: 'p', is_public: true });
      const join = (role: string): Promise<Reply> =>
        server.post('/api/projects/p/add_members', { members: [{ username: 'ann', project_role: role }] }, ann);
      expect(brief(await join('admin'))).toEqual([403, 'msg']);
      expect(brief(await join('manager'))).toEqual([403, 'msg']);
      expect(brief(await join('user'))).toBe(200);
      expect(await members()).toEqual({ admin: 'admin', ann: 'user' });
    });

    it('keep managers from making, demoting or removing admins', async () => {
      const manager = await user('mia');
      await user('ann');
      await server.post('/api/projects/create', { project_name: 'p' });
      await server.post('/api/projects/p/add_members', {
        members: [
          { username: 'mia', project_role: 'manager' },
          { username: 'ann', project_role: 'admin' },
        ],
      });
      const set = (wanted: unknown[]): Promise<Reply> =>
        server.post('/api/projects/p/set_members', { members: wanted }, manager);
      const add = (name: string, role: string): Promise<Reply> =>
        server.post('/api/projects/p/add_members', { members: [{ username: name, project_role: role }] }, manager);
      expect(brief(await add('ann', 'user'))).toEqual([403, 'msg']);
      expect(brief(await add('mia', 'admin'))).toEqual([403, 'msg']);
      expect(brief(await set([{ username: 'mia', project_role: 'manager' }]))).toEqual([403, 'msg']);
      expect(brief(await server.post('/api/projects/p/remove_members', { usernames: ['ann'] }, manager))).toEqual([
        403,
        'msg',
      ]);
      expect(await members()).toEqual({ admin: 'admin', mia: 'manager', ann: 'admin' });
    });

    it('keep an admin when the last one leaves', async () => {
      await server.post('/api/projects/create', { project_name: 'p' });
      expect(brief(await server.post('/api/projects/p/remove_members', { usernames: ['admin'] }))).toEqual([
        400,
        'error',
      ]);
    });

    it('are limited by the quota of those who are no global admins', async () => {
      const ann = await user('ann');
      for (let index = 0; index < 10; index += 1)
        expect(brief(await server.post('/api/projects/create', { project_name: `p${index}` }, ann))).toBe(200);
      expect(brief(await server.post('/api/projects/create', { project_name: 'p10' }, ann))).toEqual([400, 'error']);
    });

    it('are deleted by their admins, and their name is free again', async () => {
      const ann = await user('ann');
      await server.post('/api/projects/create', { project_name: 'p' });
      expect(brief(await server.post('/api/projects/delete', { projects_names: ['p'] }, ann))).toEqual([403, 'msg']);
      expect(brief(await server.post('/api/projects/delete', { projects_names: ['p'] }))).toBe(200);
      expect(brief(await server.post('/api/projects/p/get'))).toEqual([404, 'detail']);
      expect(brief(await server.post('/api/projects/create', { project_name: 'p' }))).toBe(200);
    });
  });

  it('tells events to those who may see a target of them', async () => {
    const ann = await user('ann');
    await server.post('/api/projects/create', { project_name: 'p' }, ann);
    const messages = async (token?: string): Promise<string[]> => {
      const { body } = await server.post('/api/events/list', {}, token);
      return (body as { message: string; targets: { name: string }[] }[]).map(
        (event) => `${event.message}: ${event.targets[0]?.name}`,
      );
    };
    expect((await messages(ann)).sort()).toEqual(['Project created: p', 'User created: ann']);
    expect(await messages()).toHaveLength(4);
  });

  it('forgets events past their time, and nothing else', async () => {
    await server.post('/api/projects/create', { project_name: 'p' });
    await server.db.write((tx) => tx.execute(`UPDATE events SET recorded_at = 0 WHERE message = 'User created'`));
    expect(await server.app.get(EventRetention).deleteExpired()).toBe(1);
    const { body } = await server.post('/api/events/list', {});
    expect((body as { message: string }[]).map(({ message }) => message)).toEqual([
      'Project created',
      'Project created',
    ]);
    expect(await server.db.read((tx) => tx.query('SELECT event_id FROM event_targets'))).toHaveLength(2);
  });

  it.each([
    ['/api/users/get_user', { username: 'a\u0000b' }],
    ['/api/users/create', { username: 'a\u0000b', global_role: 'user' }],
    ['/api/projects/%00/get', {}],
    ['/api/projects/list', { name_pattern: 'x'.repeat(70_000) }],
    ['/api/users/list', { name_pattern: 'x'.repeat(70_000) }],
    ['/api/projects/list', { prev_created_at: '9999-99-99' }],
    ['/api/projects/list', { prev_created_at: 1e300 }],
    ['/api/instances/list', { limit: 1e300 }],
    ['/api/instances/list', { limit: -1 }],
    ['/api/users/create', { username: '\ud800', global_role: 'user' }],
    ['/api/project/main/secrets/create_or_update', { name: 'x'.repeat(5000), value: '' }],
    ['/api/project/main/repos/init', { repo_id: 'x'.repeat(5000), repo_info: { repo_type: 'virtual' } }],
  ])('never answers odd input to %s with 500', async (path, body) => {
    expect((await server.post(path, body)).status).toBeLessThan(500);
  });

  it('pages by date and id without losing or repeating an item', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await server.post('/api/projects/create', { project_name: name });
    const seen: string[] = [];
    let after: { created_at: string; project_id: string } | undefined;
    for (let page = 0; page < 10; page += 1) {
      const position = after === undefined ? {} : { prev_created_at: after.created_at, prev_id: after.project_id };
      const { body } = await server.post('/api/projects/list', { limit: 2, ...position });
      const projects = body as { project_name: string; created_at: string; project_id: string }[];
      seen.push(...projects.map((project) => project.project_name));
      after = projects.at(-1);
      if (projects.length < 2) break;
    }
    expect(seen.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'main']);
  });
});
