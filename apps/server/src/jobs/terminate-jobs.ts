import type { RunEffect } from '@dstack/core';
import { inList } from '../persistence/in-list.js';
import type { WriteTx } from '../persistence/transaction.js';
import type { Wake } from '../reconcile/wake.js';

type Termination = Omit<Extract<RunEffect, { do: 'terminate-jobs' }>, 'do'>;

/** Tells jobs to end. One that is ending keeps its reason, but an abort takes its grace period away. */
export async function terminateJobs(tx: WriteTx, wake: Wake, termination: Termination, now: number): Promise<void> {
  const { jobIds, reason, message, mode } = termination;
  await unregister(tx, wake, jobIds);
  for (const jobId of jobIds) {
    await tx.execute(
      `UPDATE jobs SET
         status_changed_at = CASE WHEN status = 'terminating' THEN status_changed_at ELSE CAST(? AS bigint) END,
         termination_reason = CASE WHEN status = 'terminating' AND ? <> 'aborted_by_user' THEN termination_reason ELSE ? END,
         termination_message = COALESCE(termination_message, ?), stop_mode = ?, stop_requested_at = CAST(? AS bigint),
         status = 'terminating', rev = rev + 1
       WHERE id = ? AND status NOT IN ('terminated', 'aborted', 'failed', 'done')`,
      [now, reason, reason, message, mode, now, jobId],
    );
  }
  await wake.rows(tx, 'jobs', jobIds);
}

/** Replicas get no more requests from here on. */
export async function unregister(tx: WriteTx, wake: Wake, jobIds: readonly string[]): Promise<void> {
  const these = inList('id', jobIds);
  const rows = await tx.query<{ run_id: string }>(
    `UPDATE jobs SET registered = false WHERE ${these.sql} AND registered = true RETURNING run_id`,
    these.params,
  );
  for (const runId of new Set(rows.map((row) => row.run_id))) wake.replicas(tx, runId);
}
