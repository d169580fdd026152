import { anyOf } from '../persistence/any-of.js';
import { BATCH, deleteLogs, LOGGED_JOB, type LoggedJob, type RetentionTools } from './tools.js';

/** Over, and nothing is to be done about it or its jobs any more. */
const SETTLED = `r.finished_at < ? AND r.status IN ('terminated', 'failed', 'done') AND r.next_due_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.run_id = r.id AND (j.instance_id IS NOT NULL OR j.next_due_at IS NOT NULL))`;

/** Their jobs, metrics and traffic go with them; what their machines cost stays. @returns how many */
export async function deleteOldRuns({ db, logs }: RetentionTools, before: number | null): Promise<number> {
  let total = 0;
  while (before !== null) {
    const { runs, jobs } = await db.read(async (tx) => {
      const found = await tx.query<{ id: string }>(
        `SELECT r.id FROM runs r WHERE ${SETTLED} ORDER BY r.finished_at LIMIT ?`,
        [before, BATCH],
      );
      const these = anyOf(tx.dialect, 'j.run_id', found.map(({ id }) => id)); // prettier-ignore
      return {
        runs: found,
        jobs:
          found.length === 0 ? [] : await tx.query<LoggedJob>(`SELECT ${LOGGED_JOB} WHERE ${these.sql}`, these.params),
      };
    });
    if (runs.length === 0) break;
    // Before their rows: who stops in between finds them again.
    await deleteLogs(logs, jobs);
    await db.write((tx) => {
      const these = anyOf(tx.dialect, 'id', runs.map(({ id }) => id)); // prettier-ignore
      return tx.execute(`DELETE FROM runs WHERE ${these.sql}`, these.params);
    });
    total += runs.length;
  }
  return total;
}
