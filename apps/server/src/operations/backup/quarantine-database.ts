import { sqliteDriver } from '../../persistence/sqlite-connection.js';

/** As long as the server itself leaves unknown machines alone. */
const QUARANTINE_MS = 24 * 3_600_000;

/**
 * Makes whoever starts on this SQLite database leave machines alone that it does not know: they are younger than it.
 * @param now Unix ms
 */
export function quarantineDatabase(path: string, now: number): void {
  const database = new sqliteDriver(path, { fileMustExist: true });
  try {
    const columns = database.pragma('table_info(installation)') as { name: string }[];
    // Of a server that was lost before its first migration.
    if (!columns.some(({ name }) => name === 'quarantine_until')) return;
    database.prepare('UPDATE installation SET quarantine_until = ?').run(now + QUARANTINE_MS);
  } finally {
    database.close();
  }
}
