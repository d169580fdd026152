import { LIMITS } from '@dstack/core';
import { sqliteDriver } from '../../persistence/sqlite-connection.js';

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
    database.prepare('UPDATE installation SET quarantine_until = ?').run(now + LIMITS.quarantineMs);
  } finally {
    database.close();
  }
}
