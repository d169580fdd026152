import { randomUUID } from 'node:crypto';
import type { Compute, ListedMachine, MachineRef } from '@dstack/backend-base';
import type { Wire } from '@dstack/core';
import { OrphanCollector } from '../src/instances/orphan-collector.js';
import { ComputeAccounts } from '../src/offers/compute-accounts.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';

describe.each(testDatabases())('machines that nobody will terminate, on $name', ({ location }) => {
  let server: TestServer;
  let listed: ListedMachine[] = [];
  let terminated: string[] = [];
  let askedFor: string[] = [];
  let refusal: Error | null = null;

  beforeEach(async () => {
    server = await startTestServer({ database: await location(), backgroundProcessing: false, localBackend: false });
    listed = [];
    terminated = [];
    askedFor = [];
    refusal = null;
    const compute: Pick<Compute, 'list' | 'terminate'> = {
      list: async (owner) => {
        askedFor.push(owner);
        return listed;
      },
      terminate: async (ref) => {
        if (refusal !== null) throw refusal;
        terminated.push(ref.cloudName);
        return 'done';
      },
    };
    const accounts: Pick<ComputeAccounts, 'ofProject'> = server.app.get(ComputeAccounts);
    // The collector uses no more of an account.
    accounts.ofProject = async () =>
      [{ type: 'lambda', compute }] as unknown as Awaited<ReturnType<ComputeAccounts['ofProject']>>;
  });
  afterEach(() => server.close());

  const ref = (cloudName: string, machineId: string): MachineRef => ({
    cloudName,
    machineId,
    region: 'r',
    zone: null,
    backendData: null,
  });
  const machine = (cloudName: string, machineId = `m-${cloudName}`): ListedMachine => ({
    ref: ref(cloudName, machineId),
    owner: 'us',
    token: null,
    createdAt: null,
  });
  const instance = (cloudName: string, status: string, machineId: string | null) =>
    server.db.write(async (tx) => {
      const [project] = await tx.query<{ id: string }>('SELECT id FROM projects', []);
      const id = randomUUID();
      await tx.execute(
        `INSERT INTO instances (id, project_id, instance_num, name, status, status_changed_at, created_at, machine) VALUES (?, ?, 0, ?, ?, 1, 1, ?)`,
        [
          id,
          project?.id ?? '',
          cloudName,
          status,
          machineId === null ? null : JSON.stringify({ ref: ref(cloudName, machineId) }),
        ],
      );
      await tx.execute(
        `INSERT INTO provisioning_attempts (id, instance_id, attempt, offer, backend_type, region, cloud_name, token, created_at) VALUES (?, ?, 1, '{}', 'lambda', 'r', ?, ?, 1)`,
        [randomUUID(), id, cloudName, randomUUID()],
      );
    });
  const round = () => server.app.get(OrphanCollector).round();
  const events = async () =>
    ((await server.post('/api/events/list', { limit: 100 })).body as Wire.Event[])
      .map(({ message }) => message)
      .filter((message) => message.startsWith('Machine '));

  const restoreTo = (ms: number) =>
    server.db.write((tx) => tx.execute('UPDATE installation SET last_alive_at = last_alive_at - ?', [ms]));

  it('are left alone after the database was restored, until a day has passed or an administrator says so', async () => {
    await round();
    await restoreTo(3_600_000);
    listed = [machine('younger-than-the-backup')];
    await round();
    await round();
    expect(terminated).toEqual([]);
    expect(await events()).toEqual([
      expect.stringMatching(
        /^Machine younger-than-the-backup of backend lambda would be terminated, and is not before 20/,
      ),
    ]);
    expect((await server.post('/api/server/end_quarantine', {})).status).toBe(200);
    await round();
    expect(terminated).toEqual(['younger-than-the-backup']);
  });

  it('are terminated once the day has passed', async () => {
    await round();
    await restoreTo(3_600_000);
    listed = [machine('younger-than-the-backup')];
    await round();
    await server.db.write((tx) => tx.execute('UPDATE installation SET quarantine_until = quarantine_until - 86400001'));
    await round();
    expect(terminated).toEqual(['younger-than-the-backup']);
  });

  it('are terminated, and an event says why', async () => {
    await instance('used', 'busy', 'm-used');
    await instance('starting', 'launching', null);
    await instance('ended', 'terminated', 'm-ended');
    listed = [
      machine('used'),
      machine('used', 'm-second'),
      machine('starting'),
      machine('ended'),
      machine('unheard-of'),
    ];
    await round();
    expect(terminated).toEqual(['used', 'ended', 'unheard-of']);
    expect((await events()).sort()).toEqual([
      'Machine ended of backend lambda is terminated: its instance has ended',
      'Machine unheard-of of backend lambda is terminated: no instance of this server is behind it',
      'Machine used of backend lambda is terminated: its instance has another machine',
    ]);
    expect(askedFor[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('are tried again when the cloud fails, told of once, and keep nobody from the others', async () => {
    listed = [machine('unheard-of'), machine('another')];
    // What it did before its answer was lost nobody would be told afterwards.
    refusal = new Error('the cloud is down');
    await round();
    expect(terminated).toEqual([]);
    expect(await events()).toHaveLength(2);
    refusal = null;
    await round();
    expect(terminated).toEqual(['unheard-of', 'another']);
    expect(await events()).toHaveLength(2);
  });
});
