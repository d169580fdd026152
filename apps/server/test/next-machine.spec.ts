import { randomUUID } from 'node:crypto';
import { decideJob } from '@dstack/core';
import { EventRecorder } from '../src/events/event-recorder.js';
import { InstanceLimits } from '../src/instances/instance-limits.js';
import { JobCommit } from '../src/jobs/job-commit.js';
import { findJob } from '../src/jobs/job-record.js';
import { JobSnapshots } from '../src/jobs/job-snapshots.js';
import { hasRoom } from '../src/fleets/hold-fleet.js';
import { findFleet } from '../src/fleets/fleet-record.js';
import type { Database } from '../src/persistence/database.js';
import { Notices } from '../src/reconcile/notices.js';
import { Wake } from '../src/reconcile/wake.js';
import { realWorld } from '../src/world/real-world.js';
import { seedJob, type SeededJob } from './support/workload-rows.js';
import { findAttachments } from '../src/volumes/attachment-record.js';
import { jobVolumes, reservedVolumes, volumeMounts } from '../src/volumes/job-volumes.js';
import { testDatabases } from './support/test-databases.js';

interface Failed extends SeededJob {
  readonly fleetId: string;
  readonly instanceId: string;
}

/** A job in a fleet of one machine, which does not start. */
async function seedFailedStart(db: Database): Promise<Failed> {
  const seeded = await seedJob(db);
  const [fleetId, instanceId] = [randomUUID(), randomUUID()];
  const spec = { configuration: { type: 'fleet', name: 'one', nodes: { min: 0, target: 0, max: 1 } }, profile: {} };
  await db.write(async (tx) => {
    await tx.execute(
      `INSERT INTO fleets (id, project_id, name, status, spec, created_at) VALUES (?, ?, 'one', 'active', ?, 1)`,
      [fleetId, seeded.projectId, JSON.stringify(spec)],
    );
    await tx.execute(
      `INSERT INTO instances (id, project_id, fleet_id, instance_num, name, status, status_changed_at, created_at, started_at, requirements, profile,
         backend_type, region, total_blocks, busy_blocks, idle_seconds, provisioning_job_id, termination_reason, termination_message)
       VALUES (?, ?, ?, 0, 'one-0', 'terminating', 1, 1, 1, '{"resources":{}}', '{"max_price":3}', 'aws', 'eu', 1, 1, 300, ?, 'provisioning_timeout', 'no answer')`,
      [instanceId, seeded.projectId, fleetId, seeded.jobId],
    );
    await tx.execute(
      `UPDATE jobs SET status = 'provisioning', instance_id = ?, used_instance_id = ?, blocks = 1, provisioning_data = '{}', job_spec = '{"job_name":"train-0-0"}' WHERE id = ?`,
      [instanceId, instanceId, seeded.jobId],
    );
  });
  return { ...seeded, fleetId, instanceId };
}

/** As the engine does it. */
async function pass(db: Database, jobId: string): Promise<string | null> {
  const world = realWorld();
  const wake = new Wake(new Notices());
  const commit = new JobCommit(
    wake,
    new EventRecorder(world, { eventsTtlSeconds: 60 }),
    { complete: async () => undefined },
    world,
  );
  const now = Date.now();
  const observed = await db.read((tx) => new JobSnapshots(new InstanceLimits()).load(jobId, tx, now));
  if (observed === null) throw new Error('no job');
  const decision = decideJob(observed.snapshot.snapshot, now);
  await db.write(async (tx) => {
    const context = { id: jobId, snapshot: observed.snapshot, decision, outcomes: [], now };
    await commit.lock(tx, context);
    await commit.write(tx, context);
  });
  return decision.because;
}

describe.each(testDatabases())('a job whose machine fails to start on $name', ({ open }) => {
  it('gets another one in its place, which asks for the same', async () => {
    const db = await open();
    const { jobId, fleetId, instanceId } = await seedFailedStart(db);
    const fleet = await db.read((tx) => findFleet(tx, fleetId));
    if (fleet === null) throw new Error('no fleet');
    // Until then its place is nobody else's.
    expect(await db.read((tx) => hasRoom(tx, fleet))).toBe(false);
    expect(await pass(db, jobId)).toBe('one-0 failed to start: no answer; the next offer is tried');
    const job = await db.read((tx) => findJob(tx, jobId));
    expect(job).toMatchObject({ status: 'submitted', provisioningData: null, runtimeRecord: { failedMachines: 1 } });
    const instances = await db.read((tx) =>
      tx.query(
        `SELECT name, status, busy_blocks, idle_seconds, profile, provisioning_job_id AS job, id = ? AS is_first FROM instances ORDER BY name`,
        [instanceId],
      ),
    );
    expect(instances).toMatchObject([
      { name: 'one-0', status: 'terminating', busy_blocks: 0 },
      { name: 'one-1', status: 'pending', busy_blocks: 1, idle_seconds: 300, profile: '{"max_price":3}', job: jobId },
    ]);
    expect(job?.instanceId).not.toBe(instanceId);
  });

  it('takes a volume that was being attached to it along to the next one', async () => {
    const db = await open();
    const { jobId, instanceId, projectId, runId } = await seedFailedStart(db);
    const volumeId = randomUUID();
    const configuration = { type: 'volume', name: 'data', backend: 'aws', region: 'eu', size: 10 };
    const cloud = { volumeId: 'vol-1', sizeGb: 10, zone: 'eu-1', attachable: true };
    await db.write(async (tx) => {
      await tx.execute(
        `INSERT INTO volumes (id, project_id, name, status, status_changed_at, configuration, external, created_at, backend_type, region, cloud, user_id)
         SELECT ?, ?, 'data', 'active', 1, ?, false, 1, 'aws', 'eu', ?, user_id FROM runs WHERE id = ?`,
        [volumeId, projectId, JSON.stringify(configuration), JSON.stringify(cloud), runId],
      );
      await tx.execute(
        `INSERT INTO volume_attachments (volume_id, instance_id, job_id, is_attached, asked_at, created_at) VALUES (?, ?, ?, ?, 1, 1)`,
        [volumeId, instanceId, jobId, true],
      );
      const spec = { job_name: 'train-0-0', volumes: [{ name: 'data', path: '/data' }] };
      await tx.execute('UPDATE jobs SET job_spec = ? WHERE id = ?', [JSON.stringify(spec), jobId]);
    });
    expect(await pass(db, jobId)).toBe('one-0 failed to start: no answer; the next offer is tried');
    const job = await db.read((tx) => findJob(tx, jobId));
    const attachments = await db.read((tx) => findAttachments(tx, 'volume_id = ?', [volumeId]));
    const [first, next] = attachments;
    expect(first).toMatchObject({ instanceId, jobId, releasedAt: expect.any(Number) as number });
    expect(next).toMatchObject({ instanceId: job?.instanceId, jobId, releasedAt: null, askedAt: null });
    // Of the next machine, which has to be where it is, and has to have it.
    expect(await db.read((tx) => reservedVolumes(tx, job?.instanceId ?? ''))).toMatchObject({
      locations: [{ backend: 'aws', region: 'eu', zone: 'eu-1' }],
    });
    const spec = job?.spec;
    if (spec === undefined) throw new Error('no job');
    expect(await db.read((tx) => jobVolumes(tx, jobId, spec))).toEqual({
      state: 'held',
      waitsFor: 'volume data is not attached yet',
      error: null,
    });
    expect(await db.read((tx) => volumeMounts(tx, jobId, spec))).toHaveLength(1);
  });

  it('ends when its fleet may have no other', async () => {
    const db = await open();
    const { jobId, fleetId } = await seedFailedStart(db);
    await db.write((tx) =>
      tx.execute(
        `INSERT INTO instances (id, project_id, fleet_id, instance_num, name, status, status_changed_at, created_at)
         SELECT ?, project_id, id, 1, 'one-1', 'idle', 1, 1 FROM fleets WHERE id = ?`,
        [randomUUID(), fleetId],
      ),
    );
    await pass(db, jobId);
    expect(await db.read((tx) => findJob(tx, jobId))).toMatchObject({
      status: 'terminating',
      terminationReason: 'waiting_instance_limit_exceeded',
      terminationMessage: 'no answer (its fleet may have no more machines)',
    });
  });
});
