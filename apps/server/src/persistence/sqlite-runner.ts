import { BetterSqlite3QueryRunner } from 'typeorm/driver/better-sqlite3/BetterSqlite3QueryRunner.js';
import type { BetterSqlite3Driver } from 'typeorm/driver/better-sqlite3/BetterSqlite3Driver.js';
import type { Lease, SqlitePool } from './sqlite-pool.js';

/**
 * TypeORM gives SQLite one shared connection, on which overlapping transactions become savepoints of each other and lose
 * committed work. This runner leases a connection of its own instead: the writer when `access` is 'write', else a reader.
 */
export class PooledSqliteRunner extends BetterSqlite3QueryRunner {
  private lease: Promise<Lease> | undefined;

  constructor(
    driver: BetterSqlite3Driver,
    private readonly pool: SqlitePool,
    private readonly access: 'read' | 'write',
  ) {
    super(driver);
  }

  override async connect(): Promise<Lease['connection']> {
    this.lease ??= this.access === 'write' ? this.pool.leaseWriter() : this.pool.leaseReader();
    return (await this.lease).connection;
  }

  override query(
    ...[sql, ...rest]: Parameters<BetterSqlite3QueryRunner['query']>
  ): ReturnType<BetterSqlite3QueryRunner['query']> {
    // Taken at once: a deferred transaction that upgrades later can fail in the middle with SQLITE_BUSY.
    const statement = sql === 'BEGIN TRANSACTION' && this.access === 'write' ? 'BEGIN IMMEDIATE' : sql;
    return super.query(statement, ...rest);
  }

  override async release(): Promise<void> {
    if (this.isReleased) return;
    const lease = await this.lease;
    if (lease?.connection.inTransaction === true) lease.connection.prepare('ROLLBACK').run();
    await super.release();
    (this as { isReleased: boolean }).isReleased = true;
    this.lease = undefined;
    lease?.release();
  }
}
