import { randomUUID } from 'node:crypto';
import type { JobState } from '@dstack/agent-protocol';
import { liveJobsOn } from '../src/agents/live-jobs.js';
import { JobStates } from '../src/agents/job-states.js';
import { Notices } from '../src/reconcile/notices.js';
import { Wake } from '../src/reconcile/wake.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

describe.each(testDatabases())('what an agent tells of a job, on $name', ({ open }) => {
  it('begins the taking of its log with the first word, when who sent the job there could not say so', async () => {
    const db = await open();
    const { jobId, projectId } = await seedJob(db);
    const instanceId = randomUUID();
    await db.write(async (tx) => {
      await tx.execute(
        `INSERT INTO instances (id, project_id, instance_num, name, status, status_changed_at, created_at) VALUES (?, ?, 0, 'box', 'busy', 1, 1)`,
        [instanceId, projectId],
      );
      // Stopped while the call that starts it was under way: what came of the call was not written.
      await tx.execute(
        `UPDATE jobs SET status = 'terminating', stop_requested_at = 1, instance_id = ?, used_instance_id = ?, agent_revision = 0 WHERE id = ?`,
        [instanceId, instanceId, jobId],
      );
    });
    const notices = new Notices();
    const heard: (readonly string[])[] = [];
    notices.listenToHosts('logs', (ids) => void heard.push(ids));
    const states = new JobStates(db, new Wake(notices));
    const state = (revision: number): JobState => ({ id: jobId, revision, phase: 'preparing', phaseAt: 1 });
    await states.record(instanceId, [state(1)]);
    expect((await db.read((tx) => liveJobsOn(tx, instanceId))).map((job) => job.jobId)).toEqual([jobId]);
    await states.record(instanceId, [state(1)]);
    await states.record(instanceId, [state(2)]);
    await states.record('another', [state(3)]);
    expect(heard).toEqual([[instanceId]]);
  });
});
