import { namedKey, type Keyring } from '../../keys/keyring.js';
import { reseal, sealedValues } from '../../keys/reseal.js';
import { SEALED_COLUMNS, type SealedColumn } from '../../keys/sealed-columns.js';
import type { Database } from '../../persistence/database.js';
import type { ReadTx, SqlValue } from '../../persistence/transaction.js';

/** So many rows are looked at in one transaction: others write meanwhile. */
const ROWS_AT_ONCE = 200;

type Row = Readonly<Record<string, SqlValue>> & { readonly sealed: string };

/** How many values each key opens, by name; `identity` are those in plain text. */
export interface KeyUse {
  readonly opened: ReadonlyMap<string, number>;
  /** By the name that the values give: no key that is here opens them. */
  readonly unopened: ReadonlyMap<string, number>;
}

export async function countValues(db: Database, keyring: Keyring): Promise<KeyUse> {
  const opened = new Map<string, number>();
  const unopened = new Map<string, number>();
  for (const column of SEALED_COLUMNS)
    await eachBatch(db, column, async (rows) => {
      for (const value of rows.flatMap(({ sealed }) => sealedValues(sealed, column.form))) {
        const key = keyring.keyOf(value);
        if (key === null) increment(unopened, namedKey(value));
        else increment(opened, key);
      }
    });
  return { opened, unopened };
}

export interface Progress {
  readonly column: SealedColumn;
  readonly seen: number;
  readonly changed: number;
}

/**
 * Encrypts all values with the first key, a batch of rows per transaction: interrupted, it goes on when it is called again. A row that
 * somebody changes at the same moment is left as that one wrote it.
 * @returns how many rows were written
 */
export async function reencryptValues(
  db: Database,
  keyring: Keyring,
  progress: (done: Progress) => void,
): Promise<number> {
  let total = 0;
  for (const column of SEALED_COLUMNS) {
    let [seen, changed] = [0, 0];
    await eachBatch(db, column, async (rows) => {
      changed += await writeBatch(db, column, rows, keyring);
      seen += rows.length;
      progress({ column, seen, changed });
    });
    total += changed;
  }
  return total;
}

async function writeBatch(
  db: Database,
  { table, column, key, form }: SealedColumn,
  rows: readonly Row[],
  keyring: Keyring,
): Promise<number> {
  const where = key.map((name) => `${name} = ?`).join(' AND ');
  const changes = rows
    .map((row) => ({ row, text: reseal(row.sealed, form, keyring) }))
    .filter(({ row, text }) => text !== row.sealed);
  if (changes.length === 0) return 0;
  return db.writeDurable(async (tx) => {
    let written = 0;
    for (const { row, text } of changes)
      written += await tx.execute(`UPDATE ${table} SET ${column} = ? WHERE ${where} AND ${column} = ?`, [
        text,
        ...key.map((name) => row[name]),
        row.sealed,
      ]);
    return written;
  });
}

async function eachBatch(
  db: Database,
  column: SealedColumn,
  work: (rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  let last: Row | undefined;
  do {
    const after = last;
    const rows = await db.read((tx) => batch(tx, column, after));
    if (rows.length > 0) await work(rows);
    last = rows.length < ROWS_AT_ONCE ? undefined : rows.at(-1);
  } while (last !== undefined);
}

function batch(tx: ReadTx, { table, column, key, form }: SealedColumn, after: Row | undefined): Promise<Row[]> {
  const keys = key.join(', ');
  const holds = form === 'json' ? `${column} LIKE '%"$sealed"%'` : `${column} IS NOT NULL`;
  const beyond = after === undefined ? '' : ` AND (${keys}) > (${key.map(() => '?').join(', ')})`;
  return tx.query<Row>(
    `SELECT ${keys}, ${column} AS sealed FROM ${table} WHERE ${holds}${beyond} ORDER BY ${keys} LIMIT ${ROWS_AT_ONCE}`,
    after === undefined ? [] : key.map((name) => after[name]),
  );
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
