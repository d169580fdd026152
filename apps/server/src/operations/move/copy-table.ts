import type { Database } from '../../persistence/database.js';
import type { SqliteConnection } from '../../persistence/sqlite-connection.js';
import { OperationError } from '../operation-error.js';
import { Checksum } from './checksum.js';
import { progressOf, recordProgress } from './copy-state.js';
import { countRows, type Row, rowsAfter, type Table } from './table.js';

const MOST_ROWS = 500;
/** Statements take 32,766 values. */
const MOST_VALUES = 30_000;
/** Uploaded archives are as large as the operator lets them be. */
const MOST_BYTES = 16 * 1024 ** 2;

/** Changes a row on its way; undefined: it stays behind. */
export type Change = (table: string, row: Row) => Row | undefined;

export interface TableCopy {
  readonly source: SqliteConnection;
  readonly target: Database;
  readonly table: Table;
  readonly change: Change;
  readonly progress: (copied: number, total: number) => void;
}

/** Copies what is not there yet; each batch together with how far it came. */
export async function copyTable({ source, target, table, change, progress }: TableCopy): Promise<void> {
  const total = countRows(source, table);
  let { lastRowid, copied } = await target.read((tx) => progressOf(tx, table.name));
  const most = Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_VALUES / table.columns.length)));
  for (;;) {
    const batch = atMostBytes(rowsAfter(source, table, lastRowid, most));
    const last = batch.at(-1);
    if (last === undefined) return;
    const rows = batch.map(({ row }) => change(table.name, row)).filter((row) => row !== undefined);
    copied += batch.length;
    lastRowid = last.rowid;
    const now = { lastRowid, copied };
    try {
      await target.write(async (tx) => {
        if (rows.length > 0) await tx.execute(insertion(table, rows.length), values(table, rows));
        await recordProgress(tx, table.name, now);
      });
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      throw new OperationError(
        `Rows of ${table.name} (${copied - batch.length + 1} to ${copied}) were not taken: ${what}. What was copied before is kept: the same command goes on there.`,
        { cause: error },
      );
    }
    progress(copied, total);
  }
}

function atMostBytes<T extends { readonly row: Row }>(rows: readonly T[]): readonly T[] {
  let bytes = 0;
  const end = rows.findIndex(({ row }, index) => {
    for (const value of Object.values(row)) if (Buffer.isBuffer(value)) bytes += value.length;
    return index > 0 && bytes > MOST_BYTES;
  });
  return end < 0 ? rows : rows.slice(0, end);
}

function insertion({ name, columns }: Table, rows: number): string {
  const one = `(${columns.map(() => '?').join(', ')})`;
  return `INSERT INTO ${name} (${columns.join(', ')}) VALUES ${Array<string>(rows).fill(one).join(', ')}`;
}

const values = ({ columns }: Table, rows: readonly Row[]): Row[string][] =>
  rows.flatMap((row) => columns.map((column) => row[column]));

/** Of what should be in the target. */
export function checksumOfSource(
  { source, table, change }: Pick<TableCopy, 'source' | 'table' | 'change'>,
  columns: readonly string[],
): Checksum {
  const sum = new Checksum();
  let after = Number.MIN_SAFE_INTEGER;
  for (;;) {
    const batch = rowsAfter(source, table, after, MOST_ROWS);
    const last = batch.at(-1);
    if (last === undefined) return sum;
    for (const { row } of batch) {
      const changed = change(table.name, row);
      if (changed !== undefined) sum.add(changed, columns);
    }
    after = last.rowid;
  }
}

/** Of what is there. */
export async function checksumOfTarget(
  target: Database,
  { name }: Table,
  columns: readonly string[],
): Promise<Checksum> {
  return target.read(async (tx) => {
    const sum = new Checksum();
    await tx.query(`DECLARE copied NO SCROLL CURSOR FOR SELECT ${columns.join(', ')} FROM ${name}`);
    for (;;) {
      const rows = await tx.query<Row>(`FETCH ${MOST_ROWS} FROM copied`);
      if (rows.length === 0) return sum;
      for (const row of rows) sum.add(row, columns);
    }
  });
}
