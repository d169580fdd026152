import { randomUUID } from 'node:crypto';
import { wakePeersOfMachine } from '../src/jobs/gang.js';
import { routerAddress, wakeWorkers, workersToWake } from '../src/jobs/router-address.js';
import type { Database } from '../src/persistence/database.js';
import { Notices } from '../src/reconcile/notices.js';
import { Wake } from '../src/reconcile/wake.js';
import type { RunRecord } from '../src/runs/run-record.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

const ROUTER = { replicaGroup: 'front' };

/** A router, three workers – one of them over – and what is read of their run. */
async function seedService(db: Database, type: 'dynamo' | 'sglang' = 'dynamo') {
  const { runId, projectId, jobId: router } = await seedJob(db);
  const workers = [randomUUID(), randomUUID(), randomUUID()];
  const machineId = randomUUID();
  await db.write(async (tx) => {
    await tx.execute(`UPDATE jobs SET replica_group = 'front', status = 'submitted' WHERE id = ?`, [router]);
    for (const [index, id] of workers.entries())
      await tx.execute(
        `INSERT INTO jobs (id, run_id, project_id, job_num, replica_num, submission_num, status, status_changed_at, submitted_at, job_spec, replica_group)
         VALUES (?, ?, ?, 0, ?, 0, ?, 1, 1, '{}', 'work')`,
        [id, runId, projectId, index + 1, index === 2 ? 'failed' : 'provisioning'],
      );
    await tx.execute(
      `INSERT INTO instances (id, project_id, instance_num, name, status, status_changed_at, created_at, machine)
       VALUES (?, ?, 0, 'pool-0', 'provisioning', 1, 1, '{"state":"pending"}')`,
      [machineId, projectId],
    );
  });
  const group = (name: string, more: object = {}) => ({ name, count: { min: 1, max: 1 }, ...more });
  const replicas = [group('front', { router: { type } }), group('work')];
  const run = { id: runId, spec: { configuration: { type: 'service', port: 80, replicas } } } as unknown as RunRecord;
  return { run, router, workers, machineId };
}

const set = (db: Database, id: string, columns: Readonly<Record<string, string>>) =>
  db.write((tx) =>
    tx.execute(
      `UPDATE jobs SET ${Object.keys(columns).map((name) => `${name} = ?`).join(', ')} WHERE id = ?`,
      [...Object.values(columns), id],
    ),
  ); // prettier-ignore
const addressOf = (db: Database, run: RunRecord) => db.read((tx) => routerAddress(tx, run));
const woken = async (db: Database): Promise<string[]> => {
  const rows = await db.read((tx) => tx.query<{ id: string }>('SELECT id FROM jobs WHERE wake_seq > 0'));
  return rows.map(({ id }) => id).sort();
};

describe.each(testDatabases())('the workers of a router that they find by its address, on $name', ({ open }) => {
  it('learn it when its machine has one', async () => {
    const db = await open();
    const { run, router, workers, machineId } = await seedService(db);
    expect(await addressOf(db, run)).toBeNull();
    const data = JSON.stringify({ hostname: '203.0.113.5', internal_ip: null });
    await set(db, router, { status: 'provisioning', provisioning_data: data, instance_id: machineId });
    expect(await addressOf(db, run)).toBeNull();
    const machine = '{"state":"ready","internalIp":"10.0.0.5"}';
    await db.write(async (tx) => {
      await tx.execute('UPDATE instances SET machine = ? WHERE id = ?', [machine, machineId]);
      await wakePeersOfMachine(tx, new Wake(new Notices()), machineId);
    });
    expect(await addressOf(db, run)).toBe('10.0.0.5');
    expect(await woken(db)).toEqual(workers.slice(0, 2).sort());
  });

  it('are told of it in their own network, or by its name where there is none', async () => {
    const db = await open();
    const { run, router } = await seedService(db);
    const known = { hostname: '203.0.113.5', internal_ip: '10.0.0.7' };
    await set(db, router, { status: 'running', provisioning_data: JSON.stringify(known) });
    expect(await addressOf(db, run)).toBe('10.0.0.7');
    await set(db, router, { provisioning_data: JSON.stringify({ ...known, internal_ip: null }) });
    expect(await addressOf(db, run)).toBe('203.0.113.5');
    await set(db, router, { status: 'failed' });
    expect(await addressOf(db, run)).toBeNull();
  });

  it('are woken when it gets its place, and for nothing else', async () => {
    const db = await open();
    const { run, workers } = await seedService(db);
    const wake = (status: 'provisioning' | 'running', job = ROUTER) =>
      db.write((tx) => wakeWorkers(tx, new Wake(new Notices()), job, run, status));
    await wake('running');
    await wake('provisioning', { replicaGroup: 'work' });
    expect(await woken(db)).toEqual([]);
    await wake('provisioning');
    expect(await woken(db)).toEqual(workers.slice(0, 2).sort());
  });

  it('are none where the router is told of them', async () => {
    const db = await open();
    const { run } = await seedService(db, 'sglang');
    expect(await db.read((tx) => workersToWake(tx, ROUTER, run, 'provisioning'))).toEqual([]);
  });
});
