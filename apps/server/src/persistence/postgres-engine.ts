import pg from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';
import type { Engine } from './engine.js';
import type { EntityClass } from './sqlite-engine.js';

export interface PostgresEngineOptions {
  readonly url: string;
  readonly poolSize: number;
  readonly entities: readonly EntityClass[];
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
  }
}

export async function openPostgresEngine({ url, poolSize, entities }: PostgresEngineOptions): Promise<Engine> {
  const dataSource = new DataSource({
    type: 'postgres',
    driver: pg,
    url,
    poolSize,
    installExtensions: false,
    entities: [...entities] as never[],
    extra: { types, Client: ListenedClient },
  });
  await dataSource.initialize();

  return {
    dialect: 'postgres',
    isShared: true,
    noticesUrl: url,
    async beginRead() {
      const runner = dataSource.createQueryRunner();
      try {
        await runner.startTransaction('REPEATABLE READ');
        return runner;
      } catch (error) {
        await runner.release();
        throw error;
      }
    },
    async beginWrite() {
      const runner = dataSource.createQueryRunner();
      try {
        await runner.startTransaction('READ COMMITTED');
        return runner;
      } catch (error) {
        await runner.release();
        throw error;
      }
    },
    end: (runner: QueryRunner) => runner.release(),
    async now(runner: QueryRunner) {
      const rows = (await runner.query('SELECT (extract(epoch from clock_timestamp()) * 1000)::bigint AS now')) as {
        now: number;
      }[];
      return rows[0]?.now ?? Number.NaN;
    },
    close: () => dataSource.destroy(),
  };
}
