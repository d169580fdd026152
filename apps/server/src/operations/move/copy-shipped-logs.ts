import type { Database } from '../../persistence/database.js';
import type { SqliteConnection } from '../../persistence/sqlite-connection.js';
import { OperationError } from '../operation-error.js';
import { type Change, copyTable } from './copy-table.js';
import { logTablesOf } from './table.js';

interface LogRow {
  readonly job_id: string;
  readonly stream: string;
  readonly end_offset: number | string;
  readonly shipped_offset: number | string;
  /** Of what is in the database. */
  readonly bytes: number | string;
}

const OF_LOGS = `SELECT s.job_id, s.stream, s.end_offset, s.shipped_offset,
    (SELECT coalesce(sum(length(c.data)), 0) FROM log_chunks c WHERE c.job_id = s.job_id AND c.stream = s.stream) AS bytes
  FROM log_streams s`;

/** Logs in the database itself: those that a service keeps, until it has them. @returns how many @throws {OperationError} */
export async function copyShippedLogs(source: SqliteConnection, target: Database, change: Change): Promise<number> {
  for (const table of logTablesOf(source))
    await copyTable({ source, target, table, change, progress: () => undefined });
  const logs = source.prepare(OF_LOGS).all() as LogRow[];
  for (const log of logs) {
    const [copied] = await target.read((tx) =>
      tx.query<LogRow>(`${OF_LOGS} WHERE s.job_id = ? AND s.stream = ?`, [log.job_id, log.stream]),
    );
    if (copied === undefined || textOf(copied) !== textOf(log))
      throw new OperationError(
        `The log of job ${log.job_id} (${log.stream}) differs. Create a new target database and begin again.`,
      );
  }
  return logs.length;
}

const textOf = ({ end_offset: end, shipped_offset: shipped, bytes }: LogRow): string => `${end} ${shipped} ${bytes}`;
