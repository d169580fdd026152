import pg from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';
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
  const beganAt = new WeakMap<QueryRunner, number>();

  return {
    dialect: 'postgres',
    isShared: true,
    noticesUrl,
    beginRead: () => begin(dataSource, 'REPEATABLE READ', beganAt),
    beginWrite: () => begin(dataSource, 'READ COMMITTED', beganAt),
    end: (runner: QueryRunner) => runner.release(),
    now: (runner: QueryRunner) => Promise.resolve(beganAt.get(runner) ?? Number.NaN),
    close: () => dataSource.destroy(),
  };
}

const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

interface Began {
  readonly rows: readonly { readonly now: number }[];
}

/**
 * Begins and asks for the time in one message, where TypeORM takes two to begin alone: each is a way to the database and back. The time is
 * that of the beginning: who waits for a lock meanwhile has less of a lease, never more. Statements go to the client without TypeORM's events
 * and logs around each.
 */
async function begin(
  dataSource: DataSource,
  isolation: 'REPEATABLE READ' | 'READ COMMITTED',
  beganAt: WeakMap<QueryRunner, number>,
): Promise<QueryRunner> {
  const runner = dataSource.createQueryRunner();
  const query = runner.query.bind(runner);
  let begun: pg.PoolClient | null = null;
  runner.query = (async (sql: string, params?: unknown[], structured?: boolean) => {
    if (begun !== null && structured === true) {
      const { rows, rowCount } = await begun.query(sql, params);
      return { records: rows, affected: rowCount };
    }
    if (sql !== 'START TRANSACTION') return query(sql, params) as Promise<unknown>;
    const client = (await runner.connect()) as pg.PoolClient; // of the pool of this data source
    const answers: unknown = await client.query(`START TRANSACTION ISOLATION LEVEL ${isolation}; SELECT ${NOW} AS now`);
    const [, clock] = answers as [unknown, Began]; // one for each statement
    beganAt.set(runner, clock.rows[0]?.now ?? Number.NaN);
    begun = client;
    return undefined;
  }) as typeof query;
  try {
    await runner.startTransaction();
    return runner;
  } catch (error) {
    await runner.release();
    throw new DatabaseAwayError(error);
  }
}
