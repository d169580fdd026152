import { randomUUID } from 'node:crypto';
import { completeProbe, type ProbeState, type Wire } from '@dstack/core';
import type { Database } from '../src/persistence/database.js';
import { Notices } from '../src/reconcile/notices.js';
import { ServerIdentity } from '../src/reconcile/server-identity.js';
import { Wake } from '../src/reconcile/wake.js';
import { ProbeAsker, type ProbeAnswer } from '../src/services/probe-asker.js';
import { Prober } from '../src/services/prober.js';
import { takeServicePort } from '../src/services/service-port.js';
import { realWorld } from '../src/world/real-world.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

/** Answers by its script, then goes on with the last of it. */
class Scripted extends ProbeAsker {
  asked: { probe: Wire.ProbeSpec | null; port: number }[] = [];
  constructor(public answer: ProbeAnswer) {
    super();
  }

  override ask(probe: Wire.ProbeSpec | null, { port }: { port: number }): Promise<ProbeAnswer> {
    this.asked.push({ probe, port });
    return Promise.resolve(this.answer);
  }
}

interface Row {
  readonly registered: boolean | number;
  readonly ready_at: number | null;
  readonly probes: string;
}

describe.each(testDatabases())('the replicas of services on $name', ({ open }) => {
  const world = realWorld();

  async function scene(probes: Wire.ProbeConfig[], answer: ProbeAnswer) {
    const db = await open();
    const { runId, jobId, projectId } = await seedJob(db);
    const notices = new Notices();
    const me = new ServerIdentity(world);
    const instanceId = await seedInstance(db, projectId, me.holder);
    const spec = { service_port: 8000, probes: probes.map(completeProbe) };
    await db.write((tx) =>
      tx.execute('UPDATE jobs SET instance_id = ?, job_spec = ?, probes = ? WHERE id = ?', [
        instanceId,
        JSON.stringify(spec),
        JSON.stringify(probes.map((): ProbeState => ({ successStreak: 0, failureStreak: 0, isReady: false }))),
        jobId,
      ]),
    );
    const asker = new Scripted(answer);
    const secrets = new Map([['key', 'open sesame']]);
    const inputs = { secrets: () => Promise.resolve(secrets) };
    const prober = new Prober(db, asker, inputs, me, new Wake(notices), notices, world);
    const told: string[] = [];
    notices.listenToReplicas((id) => told.push(id));
    const row = async () => {
      const [found] = await db.read((tx) => tx.query<Row>('SELECT registered, ready_at, probes FROM jobs WHERE id = ?', [jobId])); // prettier-ignore
      return { ...found, registered: Boolean(found?.registered) };
    };
    return { db, runId, jobId, instanceId, asker, prober, told, row };
  }

  it('are ready when their probes say so, and not any more when they do not', async () => {
    const interval = 0.02;
    const probe = { ...completeProbe({ type: 'http', ready_after: 2 }), interval };
    const { runId, asker, prober, told, row } = await scene([probe], 'yes');
    prober.start();
    await until(async () => (await row()).registered);
    expect(JSON.parse((await row()).probes ?? '[]')).toMatchObject([{ successStreak: 2, isReady: true }]);
    expect(told).toEqual([runId]);
    asker.answer = 'no';
    await until(async () => !(await row()).registered);
    expect(told).toEqual([runId, runId]);
    expect((await row()).ready_at).not.toBeNull();
    await prober.stop();
  });

  it('without probes are ready when somebody listens at their port', async () => {
    const { asker, prober, row, db, jobId } = await scene([], 'no');
    await db.write((tx) => tx.execute('UPDATE jobs SET service_port = 8001 WHERE id = ?', [jobId]));
    prober.start();
    await until(async () => Promise.resolve(asker.asked.length > 0));
    expect((await row()).registered).toBe(false);
    asker.answer = 'yes';
    await until(async () => (await row()).registered);
    await prober.stop();
    expect(asker.asked[0]).toEqual({ probe: null, port: 8001 });
  });

  it('are asked with the secrets that their probes name', async () => {
    const headers = [{ name: 'authorization', value: 'Bearer ${{ secrets.key }}' }];
    const { asker, prober } = await scene([{ type: 'http', headers }], 'yes');
    prober.start();
    await until(async () => Promise.resolve(asker.asked.length > 0));
    await prober.stop();
    expect(asker.asked[0]?.probe?.headers).toEqual([{ name: 'authorization', value: 'Bearer open sesame' }]);
  });

  it('that drain do not come back', async () => {
    const { asker, prober, row, db, jobId } = await scene([], 'yes');
    await db.write((tx) => tx.execute('UPDATE jobs SET draining_since = 1 WHERE id = ?', [jobId]));
    prober.start();
    await until(async () => Promise.resolve(asker.asked.length > 0));
    await prober.stop();
    expect((await row()).registered).toBe(false);
  });

  it('on hosts of other servers are left to them', async () => {
    const { asker, prober, db, instanceId } = await scene([], 'yes');
    await db.write((tx) => tx.execute(`UPDATE instances SET connection_holder = 'another' WHERE id = ?`, [instanceId]));
    prober.start();
    await prober.stop();
    expect(asker.asked).toEqual([]);
  });

  it('that are processes on one machine have a port each, and keep it', async () => {
    const { db, jobId, runId, instanceId } = await scene([], 'yes');
    const other = randomUUID();
    await db.write(async (tx) => {
      await tx.execute(
        `INSERT INTO jobs (id, run_id, project_id, job_num, replica_num, submission_num, status, status_changed_at, submitted_at, job_spec, instance_id)
         SELECT ?, run_id, project_id, 0, 1, 0, 'provisioning', 1, 1, job_spec, instance_id FROM jobs WHERE run_id = ?`,
        [other, runId],
      );
    });
    const spec = { service_port: 8000 } as Wire.JobSpec; // all that is looked at
    const instance = { id: instanceId, backendType: 'local' as const };
    const take = (id: string) => db.write((tx) => takeServicePort(tx, { id, spec }, instance));
    expect(await take(jobId)).toBe(8000);
    expect(await take(other)).toBe(8001);
    expect(await take(jobId)).toBe(8000);
    await db.write((tx) => tx.execute(`UPDATE jobs SET status = 'failed' WHERE id = ?`, [jobId]));
    const third = randomUUID();
    await db.write((tx) =>
      tx.execute(
        `INSERT INTO jobs (id, run_id, project_id, job_num, replica_num, submission_num, status, status_changed_at, submitted_at, job_spec, instance_id)
         SELECT ?, run_id, project_id, 0, 2, 0, 'provisioning', 1, 1, job_spec, instance_id FROM jobs WHERE id = ?`,
        [third, other],
      ),
    );
    expect(await take(third)).toBe(8000);
  });
});

async function seedInstance(db: Database, projectId: string, holder: string): Promise<string> {
  const id = randomUUID();
  await db.write((tx) =>
    tx.execute(
      `INSERT INTO instances (id, project_id, instance_num, name, status, status_changed_at, created_at, backend_type, connection_holder)
       VALUES (?, ?, 0, 'one', 'busy', 1, 1, 'local', ?)`,
      [id, projectId, holder],
    ),
  );
  return id;
}

async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 10));
}
