import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DataSource, type EntitySchema, type QueryRunner } from 'typeorm';
import type { BetterSqlite3Driver } from 'typeorm/driver/better-sqlite3/BetterSqlite3Driver.js';
import type { Clock } from '../world/world.js';
import type { Engine } from './engine.js';
import { sqliteDriver } from './sqlite-connection.js';
import { SqlitePool } from './sqlite-pool.js';
import { PooledSqliteRunner } from './sqlite-runner.js';

export type EntityClass = (abstract new (...args: never[]) => object) | EntitySchema;

export interface SqliteEngineOptions {
  readonly path: string;
  /** SQLite has one process and no clock of its own. */
  readonly clock: Clock;
  readonly entities: readonly EntityClass[];
  readonly checkpointsElsewhere?: boolean;
}

export async function openSqliteEngine({
  path,
  clock,
  entities,
  checkpointsElsewhere = false,
}: SqliteEngineOptions): Promise<Engine> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const dataSource = new DataSource({
    type: 'better-sqlite3',
    database: path,
    driver: sqliteDriver,
    entities: [...entities] as never[],
    statementCacheSize: 0, // each pooled connection caches its own
  });
  const pool = new SqlitePool(path, { checkpointsElsewhere });
  const driver = dataSource.driver as BetterSqlite3Driver;
  const createRunner = (access: 'read' | 'write'): PooledSqliteRunner => {
    const runner = new PooledSqliteRunner(driver, pool, access);
    (runner as { manager: unknown }).manager = dataSource.createEntityManager(runner);
    return runner;
  };
  driver.createQueryRunner = (): PooledSqliteRunner => createRunner('write');
  await dataSource.initialize();
  const durable = new WeakSet<QueryRunner>();

  return {
    dialect: 'sqlite',
    isShared: false,
    noticesUrl: null,
    async beginRead() {
      return begin(createRunner('read'));
    },
    async beginWrite(options) {
      const runner = createRunner('write');
      if (options.durable) {
        (await runner.connect()).pragma('synchronous = FULL');
        durable.add(runner);
      }
      return begin(runner);
    },
    async end(runner: PooledSqliteRunner) {
      if (durable.has(runner)) (await runner.connect()).pragma('synchronous = NORMAL');
      await runner.release();
    },
    now: () => Promise.resolve(clock.now()),
    async close() {
      await pool.close();
      await dataSource.destroy();
    },
  };
}

async function begin(runner: QueryRunner): Promise<QueryRunner> {
  try {
    await runner.startTransaction();
    return runner;
  } catch (error) {
    await runner.release();
    throw error;
  }
}
