import type { SqlValue, WriteTx } from './transaction.js';

/** Rows in one statement: so many that one of their statements is planned in no time, and the texts of all are few. */
const MOST_ROWS = 64;

/** In as few statements as it pays on each engine: SQLite is asked without a way there and back. */
export async function insertRows(
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
