import type { WriteTx } from '../persistence/transaction.js';
import type { Wake } from '../reconcile/wake.js';

/** Of jobs. One that is over is due for one thing only: the end of its log, which its host still has. */
export const OWES_LOG = 'j.instance_id IS NULL AND j.finished_at IS NOT NULL AND j.next_due_at IS NOT NULL';

/** The machine is gone, and with it what was not taken. */
export async function wakeOwedLogs(tx: WriteTx, wake: Wake, instanceId: string): Promise<void> {
  const jobs = await tx.query<{ id: string }>(`SELECT j.id FROM jobs j WHERE j.used_instance_id = ? AND ${OWES_LOG}`, [
    instanceId,
  ]);
  await wake.rows(tx, 'jobs', jobs.map(({ id }) => id)); // prettier-ignore
}
