import type { MigrationInterface } from 'typeorm';
import type { Database } from './database.js';
import { DatabaseRefusedError } from './errors.js';
import type { ReadTx, WriteTx } from './transaction.js';

export type MigrationClass = new () => MigrationInterface & { readonly name: string };

const MIGRATION_LOCK = 7_316_418_020_264_061; // any number that nobody else uses in this database

/** Is there while another database is being copied into this one. */
export const COPY_TABLE = 'server_copy';

export interface MigrateOptions {
  /** By whoever copies; nobody else uses what is half there. */
  readonly intoCopy?: boolean;
}

/** Applies what is missing, in one transaction and under a lock that ends with it: two servers starting together migrate once. */
export async function migrate(
  db: Database,
  migrations: readonly MigrationClass[],
  { intoCopy = false }: MigrateOptions = {},
): Promise<readonly string[]> {
  await db.read((tx) => refuseForeignDatabase(tx, intoCopy));
  return db.writeDurable(async (tx) => {
    if (tx.dialect === 'postgres') await tx.query('SELECT pg_advisory_xact_lock(?)', [MIGRATION_LOCK]);
    await tx.execute(
      'CREATE TABLE IF NOT EXISTS migrations (name varchar(200) NOT NULL PRIMARY KEY, applied_at bigint NOT NULL)',
    );
    const rows = await tx.query<{ name: string }>('SELECT name FROM migrations');
    const applied = new Set(rows.map((row) => row.name));
    const known = migrations.map((Migration) => new Migration());
    refuseNewerDatabase(
      applied,
      known.map((migration) => migration.name),
    );
    const missing = known.filter((migration) => !applied.has(migration.name));
    for (const migration of missing) await apply(tx, migration);
    return missing.map((migration) => migration.name);
  });
}

async function apply(tx: WriteTx, migration: MigrationInterface & { readonly name: string }): Promise<void> {
  const runner = tx.manager.queryRunner;
  if (runner === undefined) throw new Error('A transaction without a query runner.');
  // Recorded first: a second server that slipped past the lock fails here, before it changes a table.
  await tx.execute('INSERT INTO migrations (name, applied_at) VALUES (?, ?)', [migration.name, await tx.now()]);
  await migration.up(runner);
}

async function refuseForeignDatabase(tx: ReadTx, intoCopy: boolean): Promise<void> {
  const tables =
    tx.dialect === 'postgres'
      ? `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema() AND table_name IN (?, ?)`
      : `SELECT name FROM sqlite_master WHERE type = 'table' AND name IN (?, ?)`;
  const names = (await tx.query<{ name: string }>(tables, ['alembic_version', COPY_TABLE])).map(({ name }) => name);
  if (names.includes('alembic_version'))
    throw new DatabaseRefusedError(
      'This database belongs to the Python dstack server and was left untouched. ' +
        'Start with another DSTACK_SERVER_DIR or an empty DSTACK_DATABASE_URL, and bring what is in it: dstack server import --from DATABASE.',
    );
  if (names.includes(COPY_TABLE) && !intoCopy)
    throw new DatabaseRefusedError(
      'A copy into this database is not finished. Let dstack server migrate end (the same command goes on), or use another database.',
    );
}

function refuseNewerDatabase(applied: ReadonlySet<string>, known: readonly string[]): void {
  const unknown = [...applied].filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new DatabaseRefusedError(
    `This database was migrated by a newer server (${unknown.join(', ')}). Start that version again, or restore a backup made before the upgrade.`,
  );
}
