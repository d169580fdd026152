import { randomUUID } from 'node:crypto';
import { backendInUse } from '../src/backends/backend-in-use.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';

describe.each(testDatabases())('a backend on $name', ({ location }) => {
  let server: TestServer;
  let projectId: string;
  let userId: string;
  beforeEach(async () => {
    server = await startTestServer({ database: await location(), localBackend: false });
    const found = await server.db.read(async (tx) => ({
      projects: await tx.query<{ id: string }>('SELECT id FROM projects', []),
      users: await tx.query<{ id: string }>('SELECT id FROM users', []),
    }));
    projectId = found.projects[0]?.id ?? '';
    userId = found.users[0]?.id ?? '';
  });
  afterEach(() => server.close());

  const inUse = (type: string) => server.db.read((tx) => backendInUse(tx, projectId, type));
  const insert = (table: string, row: Readonly<Record<string, string | number | boolean>>) =>
    server.db.write((tx) =>
      tx.execute(
        `INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${Object.keys(row)
          .map(() => '?')
          .join(', ')})`,
        Object.values(row),
      ),
    );
  const machine = (name: string, over: object = {}) =>
    insert('instances', { id: randomUUID(), project_id: projectId, instance_num: 0, name, status: 'idle', status_changed_at: 1, created_at: 1, backend_type: 'aws', total_blocks: 1, busy_blocks: 0, ...over }); // prettier-ignore
  const volume = (name: string, over: object = {}) =>
    insert('volumes', { id: randomUUID(), project_id: projectId, user_id: userId, name, status: 'active', status_changed_at: 1, created_at: 1, configuration: '{}', backend_type: 'aws', region: 'eu', external: false, ...over }); // prettier-ignore
  const gateway = (name: string, over: object = {}) =>
    insert('gateways', { id: randomUUID(), project_id: projectId, user_id: userId, name, status: 'running', status_changed_at: 1, created_at: 1, configuration: '{}', backend_type: 'aws', region: 'eu', desired_replica_count: 1, ssh_public_key: '', ssh_private_key: '', ...over }); // prettier-ignore

  it('without anything goes, whatever others have and whatever is gone', async () => {
    await volume('elsewhere', { backend_type: 'gcp' });
    await volume('gone', { deleted: true });
    await machine('ended', { status: 'terminated' });
    await gateway('gone', { deleted: true });
    expect(await inUse('aws')).toBeUndefined();
  });

  it('stays for each thing that only it can delete, and names them', async () => {
    await volume('data');
    expect(await inUse('aws')).toBe('Backend aws has volumes (data) and stays. Delete the volumes first');
    await machine('one-0');
    await gateway('door');
    expect(await inUse('aws')).toBe(
      'Backend aws has live instances (one-0), volumes (data) and gateways (door) and stays. Delete their fleets, the volumes and the gateways first',
    );
  });

  it('names some of many', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await volume(name);
    expect(await inUse('aws')).toContain('volumes (a, b, c, d, e and more)');
  });
});
