import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
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
  /** Fresh, without a table. */
  empty(): Promise<DatabaseLocation>;
  /** Fresh and migrated, for tests that start a whole server on it. */
  location(): Promise<DatabaseLocation>;
  /** The same, open. Closed and removed at the end of the spec file. */
  open(clock?: Clock): Promise<Database>;
}

/** The databases a test shall hold on: SQLite always, Postgres where one is given or can be started. */
export function testDatabases(): TestDatabase[] {
  const given = process.env['DSTACK_TEST_POSTGRES_URL'];
  const binaries = given === undefined ? postgresBinaries() : undefined;
  const databases = [testDatabase('SQLite', freshSqlite, migratedSqlite)];
  if (given !== undefined || binaries !== undefined) {
    const base = async (): Promise<string> => given ?? (await localPostgres(binaries ?? '')).url;
    databases.push(
      testDatabase(
        'Postgres',
        async () => freshPostgres(await base()),
        async () => migratedPostgres(await base()),
      ),
    );
  }
  return databases;
}

/** Of stories that take long: on Postgres in the full run only. */
export function databasesOfLongStories(): TestDatabase[] {
  const isFull = process.env['DSTACK_TEST_FULL'] === '1';
  return testDatabases().filter(({ name }) => isFull || name === 'SQLite');
}

const cleanups: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function testDatabase(
  name: TestDatabase['name'],
  empty: () => Promise<DatabaseLocation>,
  location: () => Promise<DatabaseLocation>,
): TestDatabase {
  return {
    name,
    empty,
    location,
    open: async (clock = realWorld().clock) => {
      const db = await openDatabase(await location(), { clock });
      cleanups.push(() => db.close());
      return db;
    },
  };
}

async function freshSqlite(): Promise<DatabaseLocation & { readonly dialect: 'sqlite' }> {
  const dir = mkdtempSync(join(tmpdir(), 'dstack-sqlite-'));
  cleanups.push(async () => rmSync(dir, { recursive: true, force: true }));
  return { dialect: 'sqlite', path: join(dir, 'sqlite.db') };
}

/** Migrated once in a spec file, then copied: migrations take longer than most tests. */
async function migratedSqlite(): Promise<DatabaseLocation> {
  sqliteTemplate ??= freshSqlite().then(async (at) => {
    await migrateAt(at);
    return at.path;
  });
  const at = await freshSqlite();
  copyFileSync(await sqliteTemplate, at.path);
  return at;
}

let sqliteTemplate: Promise<string> | undefined;

async function migrateAt(location: DatabaseLocation): Promise<void> {
  const db = await openDatabase(location, { clock: realWorld().clock });
  try {
    await migrate(db, ALL_MIGRATIONS);
  } finally {
    await db.close();
  }
}

let started: Promise<LocalPostgres> | undefined;
let count = 0;

async function freshPostgres(
  base: string,
  template = 'template1',
): Promise<DatabaseLocation & { readonly name: string }> {
  const name = `dstack_test_${process.pid}_${Date.now()}_${(count += 1)}`;
  await administer(base, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  cleanups.push(() => administer(base, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  return { dialect: 'postgres', url: urlOf(base, name), name };
}

async function migratedPostgres(base: string): Promise<DatabaseLocation> {
  postgresTemplate ??= freshPostgres(base).then(async (at) => {
    await migrateAt(at);
    return at.name;
  });
  return freshPostgres(base, await postgresTemplate);
}

let postgresTemplate: Promise<string> | undefined;

function urlOf(base: string, name: string): string {
  const url = new URL(base);
  url.pathname = `/${name}`;
  return url.toString();
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
