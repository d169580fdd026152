import pg from 'pg';
import { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { PostgresQueryRunner } from 'typeorm/driver/postgres/PostgresQueryRunner.js';
import type { Engine } from './engine.js';
import { DatabaseAwayError } from './errors.js';
import { queryByCallback } from './query-by-callback.js';
import type { EntityClass } from './sqlite-engine.js';

export interface PostgresEngineOptions {
  readonly url: string;
  readonly poolSize: number;
  readonly entities: readonly EntityClass[];
  /** Where notices are listened for; absent: where the database is, null: nowhere. */
  readonly noticesUrl?: string | null;
}

const INT8 = 20;

/** Times and counters fit a double; text for them would only invite string arithmetic. Per pool, not process-wide. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): unknown =>
    oid === INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format),
};

/**
 * A connection that breaks between the pool's listening and the runner's would end the process, as an error that nobody listens to does.
 * Whoever uses the connection is told by its query.
 */
class ListenedClient extends pg.Client {
  constructor(...options: ConstructorParameters<typeof pg.Client>) {
    super(...options);
    this.on('error', () => undefined);
    queryByCallback(this);
  }
}

export async function openPostgresEngine({
  url,
  poolSize,
  entities,
  noticesUrl = url,
}: PostgresEngineOptions): Promise<Engine> {
  const dataSource = new DataSource({
    type: 'postgres',
    driver: pg,
    url,
    poolSize,
    installExtensions: false,
    entities: [...entities] as never[],
    // Statements that wait for nothing of each other are on their way at the same time.
    extra: { types, Client: ListenedClient, pipeline: true },
  });
  await dataSource.initialize();

  return {
    dialect: 'postgres',
    isShared: true,
    noticesUrl,
    beginRead: () => begin(dataSource, 'REPEATABLE READ'),
    beginWrite: () => begin(dataSource, 'READ COMMITTED'),
    end: (runner: TransactionRunner) => runner.release(),
    now: (runner: TransactionRunner) => Promise.resolve(runner.beganAt),
    close: () => dataSource.destroy(),
  };
}

const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

interface Began {
  readonly rows: readonly { readonly now: number }[];
}

type Isolation = 'REPEATABLE READ' | 'READ COMMITTED';

/**
 * Begins and asks for the time in one message, where TypeORM takes two to begin alone: each is a way to the database and back. The time is
 * that of the beginning: who waits for a lock meanwhile has less of a lease, never more. Statements go to the client without TypeORM's events
 * and logs around each.
 */
class TransactionRunner extends PostgresQueryRunner {
  beganAt = Number.NaN;
  private begun: pg.PoolClient | null = null;

  constructor(
    driver: PostgresDriver,
    private readonly isolation: Isolation,
  ) {
    super(driver, 'master');
  }

  override async query(
    sql: string,
    params?: unknown[],
    structured?: boolean,
  ): ReturnType<PostgresQueryRunner['query']> {
    if (this.begun !== null && structured === true) {
      const { rows, rowCount } = await this.begun.query(sql, params);
      return { records: rows, affected: rowCount };
    }
    if (sql !== 'START TRANSACTION') return (await super.query(sql, params)) as unknown;
    const client = (await this.connect()) as pg.PoolClient; // of the pool of this data source
    const statement = `START TRANSACTION ISOLATION LEVEL ${this.isolation}; SELECT ${NOW} AS now`;
    const [, clock] = (await client.query(statement)) as unknown as [unknown, Began]; // one for each statement
    this.beganAt = clock.rows[0]?.now ?? Number.NaN;
    this.begun = client;
    return undefined;
  }
}

async function begin(dataSource: DataSource, isolation: Isolation): Promise<TransactionRunner> {
  const runner = new TransactionRunner(dataSource.driver as PostgresDriver, isolation);
  Object.assign(runner, { manager: dataSource.createEntityManager(runner) });
  try {
    await runner.startTransaction();
    return runner;
  } catch (error) {
    await runner.release();
    throw new DatabaseAwayError(error);
  }
}
