import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import pg from 'pg';
import { ALL_MIGRATIONS } from '../../src/migrations/all-migrations.js';
import type { Database } from '../../src/persistence/database.js';
import type { DatabaseLocation } from '../../src/persistence/database-url.js';
import { migrate } from '../../src/persistence/migrate.js';
import { openDatabase } from '../../src/persistence/open-database.js';
import { realWorld } from '../../src/world/real-world.js';
import type { Clock } from '../../src/world/world.js';
import { postgresBinaries, startPostgres, type LocalPostgres } from './local-postgres.js';

export interface TestDatabase {
  readonly name: 'SQLite' | 'Postgres';
  /** A fresh empty database; `location` for tests that start a whole server on it. */
  location(): Promise<DatabaseLocation>;
  /** Fresh, migrated and open. Closed and removed at the end of the spec file. */
  open(clock?: Clock): Promise<Database>;
}

/** The databases a test shall hold on: SQLite always, Postgres where one is given or can be started. */
export function testDatabases(): TestDatabase[] {
  const given = process.env['DSTACK_TEST_POSTGRES_URL'];
  const binaries = given === undefined ? postgresBinaries() : undefined;
  const databases = [testDatabase('SQLite', freshSqlite)];
  if (given !== undefined || binaries !== undefined)
    databases.push(testDatabase('Postgres', () => freshPostgres(given, binaries)));
  return databases;
}

const cleanups: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function testDatabase(name: TestDatabase['name'], location: () => Promise<DatabaseLocation>): TestDatabase {
  return {
    name,
    location,
    open: async (clock = realWorld().clock) => {
      const db = await openDatabase(await location(), { clock });
      cleanups.push(() => db.close());
      await migrate(db, ALL_MIGRATIONS);
      return db;
    },
  };
}

async function freshSqlite(): Promise<DatabaseLocation> {
  const dir = mkdtempSync(join(tmpdir(), 'dstack-sqlite-'));
  cleanups.push(async () => rmSync(dir, { recursive: true, force: true }));
  return { dialect: 'sqlite', path: join(dir, 'sqlite.db') };
}

let started: Promise<LocalPostgres> | undefined;
let count = 0;

async function freshPostgres(given: string | undefined, binaries: string | undefined): Promise<DatabaseLocation> {
  const base = given ?? (await localPostgres(binaries ?? '')).url;
  const name = `dstack_test_${process.pid}_${(count += 1)}`;
  await administer(base, `CREATE DATABASE ${name}`);
  cleanups.push(() => administer(base, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  const url = new URL(base);
  url.pathname = `/${name}`;
  return { dialect: 'postgres', url: url.toString() };
}

async function localPostgres(binaries: string): Promise<LocalPostgres> {
  if (started === undefined) {
    started = startPostgres(binaries);
    cleanups.push(async () => (await started)?.stop());
  }
  return started;
}

async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
