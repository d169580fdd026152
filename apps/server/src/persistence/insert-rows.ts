import { merged } from './merged.js';
import type { SqlValue, WriteTx } from './transaction.js';

/** Rows in one statement: so many that each costs next to nothing, and the texts of statements are few. */
const MOST_ROWS = 64;

/** Inserts a row of a table, in one statement with all that are inserted in the same moment. */
export function inserter<Column extends string>(
  table: string,
  columns: readonly Column[],
): (tx: WriteTx, row: Readonly<Record<Column, SqlValue>>) => Promise<void> {
  return merged(async (tx, rows) => {
    await insertRows(tx, table, columns, rows.map((row) => columns.map((column) => row[column]))); // prettier-ignore
    return [];
  });
}

interface NewRows {
  readonly columns: readonly string[];
  readonly rows: (readonly SqlValue[])[];
}

const waiting = new WeakMap<WriteTx, Map<string, NewRows>>();

/**
 * Inserts a row when all else is written, with all others of its table: for rows that nobody reads in the same transaction. Tables come in
 * the order in which they were first named.
 */
export function insertAtEnd(tx: WriteTx, table: string, row: Readonly<Record<string, SqlValue>>): void {
  const tables = waiting.get(tx) ?? begin(tx);
  const known = tables.get(table) ?? { columns: Object.keys(row), rows: [] };
  tables.set(table, known);
  known.rows.push(known.columns.map((column) => row[column]));
}

function begin(tx: WriteTx): Map<string, NewRows> {
  const tables = new Map<string, NewRows>();
  waiting.set(tx, tables);
  tx.beforeCommit(async () => {
    for (const [table, { columns, rows }] of tables) await insertRows(tx, table, columns, rows);
  });
  return tables;
}

/** In as few statements as it pays on each engine: SQLite is asked without a way there and back. */
async function insertRows(
  tx: WriteTx,
  table: string,
  columns: readonly string[],
  rows: readonly (readonly SqlValue[])[],
): Promise<void> {
  const atOnce = tx.dialect === 'postgres' ? MOST_ROWS : 1;
  const one = `(${columns.map(() => '?').join(', ')})`;
  for (let from = 0; from < rows.length; from += atOnce) {
    const some = rows.slice(from, from + atOnce);
    await tx.execute(
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${some.map(() => one).join(', ')}`,
      some.flat(),
    );
  }
}
