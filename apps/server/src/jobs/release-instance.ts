import type { WriteTx } from '../persistence/transaction.js';
import type { Wake } from '../reconcile/wake.js';
import type { JobRecord } from './job-record.js';

/** Gives the job's blocks back. Counting what is left makes a repeat harmless. */
export async function releaseInstance(
  tx: WriteTx,
  wake: Wake,
  job: Pick<JobRecord, 'id' | 'instanceId'>,
): Promise<void> {
  if (job.instanceId === null) return;
  await tx.execute('UPDATE jobs SET instance_id = NULL WHERE id = ?', [job.id]);
  await tx.execute(
    `UPDATE instances SET rev = rev + 1,
       busy_blocks = (SELECT COALESCE(SUM(COALESCE(j.blocks, 1)), 0) FROM jobs j WHERE j.instance_id = instances.id)
     WHERE id = ?`,
    [job.instanceId],
  );
  await wake.rows(tx, 'instances', [job.instanceId]);
  wake.topic(tx, 'placement');
}
