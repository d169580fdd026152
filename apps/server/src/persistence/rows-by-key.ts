import { anyOf } from './any-of.js';
import { merged } from './merged.js';
import type { Dialect, ReadTx } from './transaction.js';

interface KeyedSelect<Row, Record> {
  /** Up to its WHERE. */
  readonly select: string;
  /** Of the table, and among what is selected; a text. */
  readonly key: string & keyof Row;
  /** ORDER BY, locks. */
  readonly suffix?: (dialect: Dialect) => string;
  /** What is made of a row, once for all who asked for it. */
  readonly read: (tx: ReadTx, row: Row) => Record;
}

/** The rows with a key; in one statement for all keys that are asked for in the same moment. */
export function rowsByKey<Row extends object, Record>({
  select,
  key,
  suffix = () => '',
  read,
}: KeyedSelect<Row, Record>): (tx: ReadTx, value: string) => Promise<readonly Record[]> {
  return merged<ReadTx, string, readonly Record[]>(async (tx, values) => {
    const these = anyOf(tx.dialect, key, [...new Set(values)]);
    const rows = await tx.query<Row>(`${select} WHERE ${these.sql}${suffix(tx.dialect)}`, these.params);
    const byKey = new Map<unknown, Record[]>();
    for (const row of rows) {
      const known = byKey.get(row[key]);
      if (known === undefined) byKey.set(row[key], [read(tx, row)]);
      else known.push(read(tx, row));
    }
    return values.map((value) => byKey.get(value) ?? []);
  });
}
