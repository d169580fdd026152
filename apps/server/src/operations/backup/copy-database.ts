import { existsSync } from 'node:fs';
import { sqliteDriver } from '../../persistence/sqlite-connection.js';
import { OperationError } from '../operation-error.js';

const PAGES_PER_STEP = 4_096;
const WAIT_MS = 10_000;

export interface CopiedDatabase {
  readonly installationId: string;
  readonly keyName: string | null;
  readonly migrations: readonly string[];
}

/**
 * Copies a SQLite database as it is at one moment, by SQLite's own online backup, also while a server writes to it: the copy is made inside a
 * read transaction, so no write makes it begin anew, and it holds up no writer.
 * @throws {OperationError} when the copy is not whole
 */
export async function copyDatabase(
  from: string,
  to: string,
  progress: (copied: number, total: number) => void,
): Promise<CopiedDatabase> {
  if (!existsSync(from)) throw new OperationError(`${from} does not exist: no server has worked here.`);
  const source = new sqliteDriver(from, { fileMustExist: true, timeout: WAIT_MS });
  try {
    source.exec('BEGIN');
    source.prepare('SELECT count(*) FROM sqlite_master').get(); // from here on the moment is fixed
    await source.backup(to, {
      progress: ({ totalPages, remainingPages }) => {
        progress(totalPages - remainingPages, totalPages);
        return PAGES_PER_STEP;
      },
    });
    source.exec('ROLLBACK');
  } finally {
    source.close();
  }
  return describe(to);
}

/** Checks the copy, and makes one file of it. */
function describe(path: string): CopiedDatabase {
  const copy = new sqliteDriver(path, { fileMustExist: true });
  try {
    copy.pragma('journal_mode = DELETE');
    const faults = copy.pragma('integrity_check', { simple: true });
    if (faults !== 'ok') throw new OperationError(`The copy of the database is damaged: ${String(faults)}.`);
    const row = copy.prepare<[], InstallationRow>('SELECT installation_id, key_name FROM installation').get();
    if (row === undefined) throw new OperationError('The database holds no installation yet: start the server first.');
    const migrations = copy.prepare<[], { name: string }>('SELECT name FROM migrations ORDER BY name').all();
    return {
      installationId: row.installation_id,
      keyName: row.key_name,
      migrations: migrations.map(({ name }) => name),
    };
  } finally {
    copy.close();
  }
}

interface InstallationRow {
  readonly installation_id: string;
  readonly key_name: string | null;
}
