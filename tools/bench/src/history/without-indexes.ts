import type { Database } from '@dstack/server/parts';

/** Rows of a bulk come first, their indexes afterwards: kept up row by row they would cost most of the time. Unique ones stay. */
export async function withoutIndexes(
  db: Database,
  tables: readonly string[],
  fill: () => Promise<void>,
): Promise<void> {
  const marks = tables.map(() => '?').join(', ');
  const indexes = await db.read((tx) =>
    tx.query<{ name: string; definition: string }>(
      db.dialect === 'sqlite'
        ? `SELECT name, sql AS definition FROM sqlite_master WHERE type = 'index' AND sql LIKE 'CREATE INDEX%' AND tbl_name IN (${marks})`
        : `SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE indexdef LIKE 'CREATE INDEX%' AND tablename IN (${marks})`,
      tables,
    ),
  );
  for (const { name } of indexes) await db.write((tx) => tx.execute(`DROP INDEX ${name}`));
  await fill();
  for (const { definition } of indexes) await db.write((tx) => tx.execute(definition));
}
