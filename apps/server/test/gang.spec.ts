import { randomUUID } from 'node:crypto';
import type { JobRecord } from '../src/jobs/job-record.js';
import { lockGang, wakePeersOfMachine, wakeWaitingPeers, whatItWaitsFor } from '../src/jobs/gang.js';
import type { Database } from '../src/persistence/database.js';
import { Notices } from '../src/reconcile/notices.js';
import { Wake } from '../src/reconcile/wake.js';
import type { RunRecord } from '../src/runs/run-record.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

const NODES = 12;

type Order = 'any' | 'master-first' | 'workers-first';
const run = (order: Order): RunRecord =>
  ({
    spec: { configuration: { type: 'task', nodes: NODES, startup_order: order }, profile: {} },
  }) as unknown as RunRecord; // what the order is read from

async function seedGang(db: Database): Promise<JobRecord[]> {
  const { runId, projectId, jobId } = await seedJob(db);
  const ids = [jobId, ...Array.from({ length: NODES - 1 }, () => randomUUID())];
  await db.write(async (tx) => {
    for (const [jobNum, id] of ids.entries()) {
      if (jobNum > 0)
        await tx.execute(
          `INSERT INTO jobs (id, run_id, project_id, job_num, replica_num, submission_num, status, status_changed_at, submitted_at, job_spec)
           VALUES (?, ?, ?, ?, 0, 0, 'submitted', 1, 1, '{}')`,
          [id, runId, projectId, jobNum],
        );
      await tx.execute(`UPDATE jobs SET status = 'submitted' WHERE id = ?`, [id]);
    }
  });
  const spec = { jobs_per_replica: NODES };
  return ids.map((id, jobNum) => ({ id, runId, replicaNum: 0, submissionNum: 0, jobNum, spec }) as JobRecord);
}

async function changeTo(db: Database, job: JobRecord, status: 'provisioning' | 'running', order: Order): Promise<void> {
  await db.write(async (tx) => {
    await lockGang(tx, job, run(order), status);
    await tx.execute(`UPDATE jobs SET status = ?, provisioning_data = '{}' WHERE id = ?`, [status, job.id]);
    await wakeWaitingPeers(tx, new Wake(new Notices()), job, run(order), status);
  });
}

async function wakes(db: Database): Promise<number[]> {
  const rows = await db.read((tx) => tx.query<{ n: number }>('SELECT wake_seq AS n FROM jobs ORDER BY job_num'));
  return rows.map(({ n }) => Number(n));
}

describe.each(testDatabases())('the nodes of a gang on $name', ({ open }) => {
  it('are woken once, by the last of them that gets its address, however many get theirs at once', async () => {
    const db = await open();
    const jobs = await seedGang(db);
    const [first, ...others] = jobs;
    if (first === undefined) throw new Error('no jobs');
    await changeTo(db, first, 'provisioning', 'any');
    expect(await db.read((tx) => whatItWaitsFor(tx, first, run('any')))).toBe('other nodes have no address yet');
    await Promise.all(others.map((job) => changeTo(db, job, 'provisioning', 'any')));
    expect((await wakes(db)).sort()).toEqual([0, ...others.map(() => 1)]);
    expect(await db.read((tx) => whatItWaitsFor(tx, first, run('any')))).toBeNull();
  });

  it('are woken by their master when it has to be first', async () => {
    const db = await open();
    const [master, worker] = await seedGang(db);
    if (master === undefined || worker === undefined) throw new Error('no jobs');
    await changeTo(db, worker, 'running', 'master-first');
    expect(Math.max(...(await wakes(db)))).toBe(0);
    await changeTo(db, master, 'running', 'master-first');
    expect(await wakes(db)).toEqual([0, ...Array.from({ length: NODES - 1 }, () => 1)]);
  });

  it('wait for the address of a machine that is made, and are woken when it has one', async () => {
    const db = await open();
    const jobs = await seedGang(db);
    const [first, second, third] = jobs;
    if (first === undefined || second === undefined || third === undefined) throw new Error('no jobs');
    for (const job of jobs) await changeTo(db, job, 'provisioning', 'any');
    const machineId = randomUUID();
    await db.write(async (tx) => {
      await tx.execute(
        `INSERT INTO instances (id, project_id, instance_num, name, status, status_changed_at, created_at, machine)
         SELECT ?, project_id, 0, 'pending-0', 'provisioning', 1, 1, '{"state":"pending"}' FROM runs`,
        [machineId],
      );
      await tx.execute('UPDATE jobs SET wake_seq = 0');
      await tx.execute('UPDATE jobs SET instance_id = ? WHERE id = ?', [machineId, second.id]);
      await tx.execute(`UPDATE jobs SET status = 'running' WHERE id = ?`, [third.id]);
    });
    expect(await db.read((tx) => whatItWaitsFor(tx, first, run('any')))).toBe('other nodes have no address yet');
    await db.write((tx) => wakePeersOfMachine(tx, new Wake(new Notices()), machineId));
    expect(await wakes(db)).toEqual(jobs.map((job) => (job === second || job === third ? 0 : 1)));
  });

  it('wake each other for nothing else', async () => {
    const db = await open();
    for (const job of await seedGang(db)) await changeTo(db, job, 'running', 'any');
    expect(Math.max(...(await wakes(db)))).toBe(0);
  });
});
