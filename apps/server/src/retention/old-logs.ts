import { anyOf } from '../persistence/any-of.js';
import { BATCH, deleteLogs, LOGGED_JOB, type LoggedJob, type RetentionTools } from './tools.js';

/** @returns how many jobs lost their logs */
export async function deleteOldLogs({ db, logs, now }: RetentionTools, before: number | null): Promise<number> {
  let total = 0;
  while (before !== null) {
    const jobs = await db.read((tx) =>
      tx.query<LoggedJob>(
        `SELECT ${LOGGED_JOB} WHERE j.finished_at < ? AND j.logs_deleted_at IS NULL AND j.next_due_at IS NULL ORDER BY j.finished_at LIMIT ?`,
        [before, BATCH],
      ),
    );
    if (jobs.length === 0) break;
    await deleteLogs(logs, jobs);
    await db.write((tx) => {
      const these = anyOf(tx.dialect, 'id', jobs.map(({ id }) => id)); // prettier-ignore
      return tx.execute(`UPDATE jobs SET logs_deleted_at = ? WHERE ${these.sql}`, [now, ...these.params]);
    });
    total += jobs.length;
  }
  return total;
}
