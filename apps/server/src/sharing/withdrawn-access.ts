import type { EventRecorder } from '../events/event-recorder.js';
import { terminateJobs } from '../jobs/terminate-jobs.js';
import type { WriteTx } from '../persistence/transaction.js';
import type { Wake } from '../reconcile/wake.js';

interface StrayJob {
  readonly id: string;
  readonly name: string;
  readonly run_id: string;
  readonly project_id: string;
  readonly fleet: string;
  readonly owner: string;
}

/**
 * Ends the jobs that run on machines which are no longer shared with their projects. Called after the links are gone, in the same
 * transaction: a seat that is taken at the same moment is either seen here or refused there.
 */
export async function endStrayJobs(tx: WriteTx, wake: Wake, events: EventRecorder): Promise<void> {
  const stray = await tx.query<StrayJob>(
    `SELECT j.id, r.name, j.run_id, j.project_id, f.name AS fleet, p.name AS owner
     FROM jobs j JOIN instances i ON i.id = j.instance_id JOIN runs r ON r.id = j.run_id
     JOIN fleets f ON f.id = i.fleet_id JOIN projects p ON p.id = i.project_id
     WHERE j.project_id <> i.project_id AND j.status NOT IN ('terminating', 'terminated', 'aborted', 'failed', 'done')
       AND NOT EXISTS (SELECT 1 FROM imports im JOIN exported_fleets ef ON ef.export_id = im.export_id
                       WHERE im.project_id = j.project_id AND ef.fleet_id = i.fleet_id)`,
  );
  const now = await tx.now();
  for (const job of stray) {
    const message = `fleet ${job.owner}/${job.fleet} is no longer shared with this project`;
    const ended = { jobIds: [job.id], reason: 'instance_access_revoked', message, mode: 'kill' } as const;
    await terminateJobs(tx, wake, ended, now);
    await wake.rows(tx, 'runs', [job.run_id]);
    await events.record(tx, {
      message: `Job is ended: ${message}. Reason: INSTANCE_ACCESS_REVOKED`,
      actorId: null,
      targets: [{ type: 'job', id: job.id, name: job.name, projectId: job.project_id, runId: job.run_id }],
    });
  }
}
