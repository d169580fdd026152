import type { Clock } from '../world/world.js';
import { Database } from './database.js';
import type { DatabaseLocation } from './database-url.js';
import { openSqliteEngine, type EntityClass } from './sqlite-engine.js';

export interface OpenDatabaseOptions {
  readonly clock: Clock;
  readonly poolSize?: number;
  readonly entities?: readonly EntityClass[];
  /** Of Postgres: where replicas hear of each other; absent: where the database is, null: nowhere. */
  readonly noticesUrl?: string | null;
  /** Of SQLite: Litestream alone writes its log back. */
  readonly checkpointsElsewhere?: boolean;
}

export async function openDatabase(location: DatabaseLocation, options: OpenDatabaseOptions): Promise<Database> {
  const entities = options.entities ?? [];
  switch (location.dialect) {
    case 'sqlite':
      return new Database(
        await openSqliteEngine({
          path: location.path,
          clock: options.clock,
          entities,
          checkpointsElsewhere: options.checkpointsElsewhere ?? false,
        }),
        { groupsCommits: true },
      );
    case 'postgres': {
      const { openPostgresEngine } = await import('./postgres-engine.js'); // no other start loads a driver it does not use
      return new Database(
        await openPostgresEngine({
          url: location.url,
          poolSize: options.poolSize ?? 20,
          entities,
          ...(options.noticesUrl === undefined ? {} : { noticesUrl: options.noticesUrl }),
        }),
      );
    }
  }
}
