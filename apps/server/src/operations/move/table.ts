import type { SqliteConnection } from '../../persistence/sqlite-connection.js';
import type { SqlValue } from '../../persistence/transaction.js';

export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
}

export type Row = Readonly<Record<string, SqlValue>>;

interface Reference {
  readonly table: string;
}

/** Not of the server, or copied in another way. */
const LOG_TABLES = ['log_streams', 'log_chunks'];
const LEFT_OUT = new Set(['migrations', ...LOG_TABLES]);

/** The tables of a server's SQLite database, each after those that it refers to. */
export function tablesOf(source: SqliteConnection): Table[] {
  const names = source
    .prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_litestream%' ESCAPE '\\'",
    )
    .all()
    .map((row) => (row as { name: string }).name);
  const references = new Map(
    names.map((name) => [name, (source.pragma(`foreign_key_list(${name})`) as Reference[]).map(({ table }) => table)]),
  );
  return inOrder(names, references)
    .filter((name) => !LEFT_OUT.has(name))
    .map((name) => tableOf(source, name));
}

/** Logs in the database; others, of files, come into the same tables of the target. */
export function logTablesOf(source: SqliteConnection): Table[] {
  return LOG_TABLES.map((name) => tableOf(source, name));
}

function tableOf(source: SqliteConnection, name: string): Table {
  const columns = (source.pragma(`table_info(${name})`) as { name: string }[]).map((column) => column.name);
  return { name, columns };
}

/** Pure. */
export function inOrder(names: readonly string[], references: ReadonlyMap<string, readonly string[]>): string[] {
  const ordered = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    if (ordered.has(name)) return;
    if (path.includes(name)) throw new Error(`tables that refer to each other: ${[...path, name].join(' → ')}`);
    for (const needed of references.get(name) ?? []) if (needed !== name) visit(needed, [...path, name]);
    ordered.add(name);
  };
  for (const name of names) visit(name, []);
  return [...ordered];
}

/** At most `most` rows after one, by SQLite's own number of a row. */
export function rowsAfter(
  source: SqliteConnection,
  { name, columns }: Table,
  rowid: number,
  most: number,
): readonly { readonly rowid: number; readonly row: Row }[] {
  const sql = `SELECT rowid AS copied_rowid, ${columns.join(', ')} FROM ${name} WHERE rowid > ? ORDER BY rowid LIMIT ?`;
  return source
    .prepare(sql)
    .all(rowid, most)
    .map((found) => {
      const { copied_rowid: number, ...row } = found as Row & { copied_rowid: number };
      return { rowid: number, row: storable(row) };
    });
}

export function countRows(source: SqliteConnection, { name }: Table): number {
  const [row] = source.prepare(`SELECT count(*) AS count FROM ${name}`).all() as { count: number }[];
  return row?.count ?? 0;
}

/** Postgres keeps no NUL in text; SQLite does, where a program printed one. */
function storable(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value,
    ]),
  );
}
