import { anyOf } from '../persistence/any-of.js';
import { ENDED_TABLES, type EndedTable, mayBeForgotten } from './ended-tables.js';
import { BATCH, type RetentionTools } from './tools.js';

/** What machines, fleets, volumes and gateways leave behind once they are over. @returns how many rows */
export async function deleteEndedRows({ db }: Pick<RetentionTools, 'db'>, before: number | null): Promise<number> {
  if (before === null) return 0;
  let total = 0;
  for (const table of ENDED_TABLES) total += await deleteFrom(db, table, before);
  return total;
}

async function deleteFrom(db: RetentionTools['db'], ended: EndedTable, before: number): Promise<number> {
  const { table, endedAt } = ended;
  const rule = mayBeForgotten(ended);
  let total = 0;
  for (;;) {
    const found = await db.read((tx) =>
      tx.query<{ id: string }>(`SELECT id FROM ${table} WHERE ${rule} ORDER BY ${endedAt} LIMIT ?`, [before, BATCH]),
    );
    if (found.length === 0) return total;
    const deleted = await db.write((tx) => {
      const these = anyOf(tx.dialect, 'id', found.map(({ id }) => id)); // prettier-ignore
      // Asked again: somebody may have come to need one.
      return tx.execute(`DELETE FROM ${table} WHERE ${these.sql} AND ${rule}`, [...these.params, before]);
    });
    total += deleted;
    if (deleted === 0) return total;
  }
}
