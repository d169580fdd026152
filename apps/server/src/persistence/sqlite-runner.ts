import { QueryFailedError } from 'typeorm';
import { QueryResult } from 'typeorm/query-runner/QueryResult.js';
import { BetterSqlite3QueryRunner } from 'typeorm/driver/better-sqlite3/BetterSqlite3QueryRunner.js';
import type { BetterSqlite3Driver } from 'typeorm/driver/better-sqlite3/BetterSqlite3Driver.js';
import type { SqliteConnection } from './sqlite-connection.js';
import type { Lease, SqlitePool } from './sqlite-pool.js';

/**
 * TypeORM gives SQLite one shared connection, on which overlapping transactions become savepoints of each other and lose
 * committed work. This runner leases a connection of its own instead: the writer when `access` is 'write', else a reader.
 */
export class PooledSqliteRunner extends BetterSqlite3QueryRunner {
  private lease: Promise<Lease> | undefined;
  private leased: SqliteConnection | undefined;

  constructor(
    driver: BetterSqlite3Driver,
    private readonly pool: SqlitePool,
    private readonly access: 'read' | 'write',
  ) {
    super(driver);
  }

  override async connect(): Promise<Lease['connection']> {
    this.lease ??= this.access === 'write' ? this.pool.leaseWriter() : this.pool.leaseReader();
    this.leased = (await this.lease).connection;
    return this.leased;
  }

  /** Without TypeORM's events and logs around each statement, which cost more than most statements do. */
  override async query(
    sql: string,
    parameters: unknown[] = [],
    useStructuredResult = false,
  ): ReturnType<BetterSqlite3QueryRunner['query']> {
    const connection = this.leased ?? (await this.connect());
    // Taken at once: a deferred transaction that upgrades later can fail in the middle with SQLITE_BUSY.
    const text = sql === 'BEGIN TRANSACTION' && this.access === 'write' ? 'BEGIN IMMEDIATE' : sql;
    const values = parameters.map((value) => (typeof value === 'boolean' ? Number(value) : value));
    const result = new QueryResult();
    try {
      const statement = connection.prepare(text);
      if (statement.reader) {
        result.records = statement.all(...values);
        result.raw = result.records;
      } else {
        const { changes, lastInsertRowid } = statement.run(...values);
        result.affected = changes;
        result.raw = lastInsertRowid;
      }
    } catch (error) {
      throw new QueryFailedError(sql, values, error instanceof Error ? error : new Error(String(error)));
    }
    return useStructuredResult ? result : (result.raw as unknown);
  }

  override async release(): Promise<void> {
    if (this.isReleased) return;
    const lease = await this.lease;
    if (lease?.connection.inTransaction === true) lease.connection.prepare('ROLLBACK').run();
    await super.release();
    (this as { isReleased: boolean }).isReleased = true;
    this.lease = undefined;
    this.leased = undefined;
    lease?.release();
  }
}
