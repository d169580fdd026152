import type { Database } from '../../persistence/database.js';
import { COPY_TABLE } from '../../persistence/migrate.js';
import type { ReadTx, WriteTx } from '../../persistence/transaction.js';
import { OperationError } from '../operation-error.js';

/** What a database that is being copied into remembers of it, so that an interrupted copy goes on. */
export interface CopyState {
  readonly source: string;
  /** Of the state of the source: a server that started on it since has changed it. */
  readonly sourceState: string;
  readonly isTestCopy: boolean;
  /** The installation's id in the copy. */
  readonly installationId: string;
}

interface StateRow {
  readonly source: string;
  readonly source_state: string;
  readonly is_test_copy: boolean;
  readonly installation_id: string;
}

const TABLES = `${COPY_TABLE}_tables`;

/**
 * Makes an empty database one that is copied into, or finds that it is one already.
 * @throws {OperationError} when it is anything else
 */
export async function beginCopy(target: Database, wanted: CopyState): Promise<{ state: CopyState; resumes: boolean }> {
  return target.writeDurable(async (tx) => {
    const tables = await tx.query<{ name: string }>(
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()',
    );
    if (tables.some(({ name }) => name === COPY_TABLE)) return { state: await resume(tx, wanted), resumes: true };
    if (tables.length > 0)
      throw new OperationError(
        `The target database is not empty (it has ${tables.length} tables, such as ${tables[0]?.name}) and was left untouched. Create a new one: CREATE DATABASE dstack`,
      );
    await tx.execute(
      `CREATE TABLE ${COPY_TABLE} (source text NOT NULL, source_state text NOT NULL, is_test_copy boolean NOT NULL, installation_id varchar(36) NOT NULL)`,
    );
    await tx.execute(
      `CREATE TABLE ${TABLES} (name varchar(100) NOT NULL PRIMARY KEY, last_rowid bigint NOT NULL, copied bigint NOT NULL)`,
    );
    await tx.execute(`INSERT INTO ${COPY_TABLE} VALUES (?, ?, ?, ?)`, [
      wanted.source,
      wanted.sourceState,
      wanted.isTestCopy,
      wanted.installationId,
    ]);
    return { state: wanted, resumes: false };
  });
}

async function resume(tx: ReadTx, wanted: CopyState): Promise<CopyState> {
  const [row] = await tx.query<StateRow>(`SELECT * FROM ${COPY_TABLE}`);
  if (row === undefined) throw new OperationError('The target database is half of a copy. Create a new one.');
  if (row.source !== wanted.source)
    throw new OperationError(
      'A copy of another server into the target database is not finished. Create a new database for this one.',
    );
  if (row.source_state !== wanted.sourceState)
    throw new OperationError(
      'The server has run since the copy began, so what was copied is old. Create a new target database and begin again.',
    );
  if (row.is_test_copy !== wanted.isTestCopy)
    throw new OperationError(
      `The copy in the target database was begun with${row.is_test_copy ? '' : 'out'} --copy. Go on the same way.`,
    );
  return { ...wanted, installationId: row.installation_id };
}

export interface TableProgress {
  readonly lastRowid: number;
  readonly copied: number;
}

export async function progressOf(tx: ReadTx, table: string): Promise<TableProgress> {
  const [row] = await tx.query<{ last_rowid: number; copied: number }>(
    `SELECT last_rowid, copied FROM ${TABLES} WHERE name = ?`,
    [table],
  );
  return { lastRowid: row?.last_rowid ?? Number.MIN_SAFE_INTEGER, copied: row?.copied ?? 0 };
}

export async function recordProgress(tx: WriteTx, table: string, { lastRowid, copied }: TableProgress): Promise<void> {
  await tx.execute(
    `INSERT INTO ${TABLES} (name, last_rowid, copied) VALUES (?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET last_rowid = excluded.last_rowid, copied = excluded.copied`,
    [table, lastRowid, copied],
  );
}

/** From here on servers may start on it. */
export async function endCopy(tx: WriteTx): Promise<void> {
  await tx.execute(`DROP TABLE ${TABLES}`);
  await tx.execute(`DROP TABLE ${COPY_TABLE}`);
}
