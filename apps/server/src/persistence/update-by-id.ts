import { arrayLiteral } from './any-of.js';
import { merged } from './merged.js';
import type { SqlValue, WriteTx } from './transaction.js';

export type ValueType = 'text' | 'bigint' | 'integer' | 'boolean' | 'double precision';

interface UpdateById<Name extends string> {
  readonly table: string;
  /** What is known of each row, as Postgres names its types. */
  readonly values: Readonly<Record<Name, ValueType>>;
  /** The assignments: `value(name)` is what is known of the row, `t` is the row as it is. */
  readonly set: (value: (name: Name) => string) => string;
}

type Changes<Name extends string> = { readonly id: string } & Readonly<Record<Name, SqlValue>>;

/** Changes one row; on Postgres in one statement for all that are changed in the same moment. */
export function updateById<Name extends string>({
  table,
  values,
  set,
}: UpdateById<Name>): (tx: WriteTx, changes: Changes<Name>) => Promise<void> {
  const order: Name[] = [];
  const one = set((name) => {
    order.push(name);
    return '?';
  });
  const ofOne = `UPDATE ${table} AS t SET ${one} WHERE id = ?`;
  const names = Object.keys(values) as Name[]; // of this record
  const arrays = names.map((name) => `CAST(? AS ${values[name]}[])`);
  const ofMany =
    `UPDATE ${table} AS t SET ${set((name) => `c.${name}`)} ` +
    `FROM unnest(CAST(? AS text[]), ${arrays.join(', ')}) AS c (row_id, ${names.join(', ')}) WHERE t.id = c.row_id`;

  return merged<WriteTx, Changes<Name>, void>(async (tx, rows) => {
    if (tx.dialect === 'postgres') {
      const ids = arrayLiteral(rows.map(({ id }) => id));
      await tx.execute(ofMany, [ids, ...names.map((name) => arrayLiteral(rows.map((row) => plain(row[name]))))]);
    } else
      for (const row of rows) {
        await tx.execute(ofOne, [...order.map((name) => row[name]), row.id]);
      }
    return [];
  });
}

function plain(value: SqlValue): string | number | boolean | null {
  if (Buffer.isBuffer(value)) throw new TypeError('bytes are written row by row');
  return value ?? null;
}
