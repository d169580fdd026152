import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackendError, type MachineRef } from '@dstack/backend-base';
import type { Wire } from '@dstack/core';
import { BackendStore } from '../src/backends/backend-store.js';
import { ConfigApplier } from '../src/config-file/config-applier.js';
import { ComputeAccounts } from '../src/offers/compute-accounts.js';
import { Wake } from '../src/reconcile/wake.js';
import { STANDARD_PERMISSIONS } from '../src/settings/default-permissions.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';

type ShownInstance = Wire.Instance & { readonly last_error: string | null };

const REF: MachineRef = { cloudName: 'one-0', machineId: 'i-1', region: 'eu', zone: null, backendData: null };
const MACHINE = JSON.stringify({ ref: REF, state: 'ready', terminateFailures: 0, nextTerminateAt: null });

describe('a machine that does not die', () => {
  let server: TestServer;
  let answer: () => 'done';
  let asked: number;

  beforeEach(async () => {
    asked = 0;
    server = await startTestServer({ localBackend: false });
    const account = {
      type: 'oci',
      definition: {
        type: 'oci',
        idempotency: { kind: 'token' },
        maxNameLength: 60,
        provisioningTimeoutMs: () => 1_000,
      },
      compute: {
        list: async () => [],
        terminate: async () => {
          asked += 1;
          return answer();
        },
      },
    };
    const accounts: Pick<ComputeAccounts, 'open'> = server.app.get(ComputeAccounts);
    // Ending a machine uses no more of an account.
    accounts.open = async () => account as unknown as Awaited<ReturnType<ComputeAccounts['open']>>;
  });
  afterEach(() => server.close());

  const project = (path: string, body: object) => server.post(`/api/project/main/${path}`, body);
  const leaveOut = () =>
    server.app.get(ConfigApplier).apply({
      projects: [{ name: 'main', backends: [] }],
      encryptionKeys: [],
      plugins: [],
      permissions: STANDARD_PERMISSIONS,
    });
  const backends = async () =>
    (await server.db.read((tx) => tx.query<{ type: string }>('SELECT type FROM backends', []))).map(({ type }) => type);
  const fleet = async () => (await project('fleets/get', { name: 'one' })).body as Wire.Fleet;
  const until = async <T>(look: () => Promise<T>, isIt: (value: T) => boolean): Promise<T> => {
    for (let tries = 0; tries < 200; tries += 1) {
      const value = await look();
      if (isIt(value)) return value;
      await sleep(25);
    }
    throw new Error(`it never came: ${JSON.stringify(await look())}`);
  };
  /** One that is being terminated, of a fleet and a backend of the project. */
  const haveMachine = () =>
    server.db.write(async (tx) => {
      const [found] = await tx.query<{ id: string }>('SELECT id FROM projects', []);
      const projectId = found?.id ?? '';
      const [fleetId, id] = [randomUUID(), randomUUID()];
      const spec = { configuration: { type: 'fleet', name: 'one', nodes: { min: 0, target: 0, max: 1 } }, profile: {} };
      await server.app.get(BackendStore).put(tx, projectId, { type: 'oci', regions: null, creds: null });
      await tx.execute(
        `INSERT INTO fleets (id, project_id, name, status, spec, created_at) VALUES (?, ?, 'one', 'active', ?, 1)`,
        [fleetId, projectId, JSON.stringify(spec)],
      );
      await tx.execute(
        `INSERT INTO instances (id, project_id, fleet_id, instance_num, name, status, status_changed_at, created_at, started_at, price,
           backend_type, region, total_blocks, busy_blocks, termination_reason, machine)
         VALUES (?, ?, ?, 0, 'one-0', 'terminating', 1, 1, 1, 2.5, 'oci', 'eu', 1, 0, 'terminated_by_user', ?)`,
        [id, projectId, fleetId, MACHINE],
      );
      await tx.execute(
        `INSERT INTO provisioning_attempts (id, instance_id, attempt, offer, backend_type, region, cloud_name, token, outcome, created_at)
         VALUES (?, ?, 0, '{}', 'oci', 'eu', 'one-0', 't', 'created', 1)`,
        [randomUUID(), id],
      );
      await server.app.get(Wake).rows(tx, 'instances', [id]);
      return id;
    });

  it('is shown with its price and what the cloud says, keeps its backend, and is asked for until it is gone', async () => {
    answer = () => {
      throw new BackendError({ kind: 'rejected', blocks: 'offer' }, 'OperationNotPermitted: it is protected');
    };
    const id = await haveMachine();
    const [machine] = (await until(fleet, ({ instances: [shown] }) => (shown as ShownInstance).last_error !== null))
      .instances;
    expect(machine).toMatchObject({
      status: 'terminating',
      price: 2.5,
      backend: 'oci',
      region: 'eu',
      last_error: 'OperationNotPermitted: it is protected',
    });
    const removed = await project('backends/delete', { backends_names: ['oci'] });
    expect([removed.status, removed.text]).toEqual([
      400,
      expect.stringContaining('Backend oci has live instances (one-0) and stays. Delete their fleets first'),
    ]);
    // Nor does it go from a file of the server that lists it no more.
    await leaveOut();
    expect(await backends()).toEqual(['oci']);
    answer = () => 'done';
    await server.db.write(async (tx) => {
      // Not in a minute, but now.
      await tx.execute('UPDATE instances SET machine = ? WHERE id = ?', [MACHINE, id]);
      await server.app.get(Wake).rows(tx, 'instances', [id]);
    });
    await until(fleet, ({ instances }) => instances.every(({ status }) => status === 'terminated'));
    expect(asked).toBeGreaterThan(1);
    await leaveOut();
    expect(await backends()).toEqual([]);
  });
});
