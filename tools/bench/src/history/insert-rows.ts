import type { Database } from '@dstack/server/parts';

export type Row = Readonly<Record<string, Value>>;
type Value = string | number | boolean | Buffer | null;
type WriteTx = Parameters<Parameters<Database['write']>[0]>[0];

/** SQLite's limit is the lower one. */
const MOST_VALUES = 32_766;

/** Rows of one shape, many to a statement. */
export async function insertRows(tx: WriteTx, table: string, rows: readonly Row[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {});
  if (columns.length === 0) return;
  const perStatement = Math.min(500, Math.floor(MOST_VALUES / columns.length));
  const marks = `(${columns.map(() => '?').join(', ')})`;
  for (let from = 0; from < rows.length; from += perStatement) {
    const some = rows.slice(from, from + perStatement);
    await tx.execute(
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${some.map(() => marks).join(', ')}`,
      some.flatMap((row) => columns.map((column) => row[column] ?? null)),
    );
  }
}
