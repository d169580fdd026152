import { createRequire } from 'node:module';
import type Sqlite from 'better-sqlite3';

// The alias keeps typeorm's own (older, compiling) better-sqlite3 peer out of an installation.
const require = createRequire(import.meta.url);
export const sqliteDriver = require('sqlite-native') as typeof Sqlite;

const STATEMENT_CACHE_SIZE = 500;

export interface SqliteOptions {
  readonly checkpointsElsewhere?: boolean;
}

export interface SqliteStatement {
  readonly reader: boolean;
  all(...params: unknown[]): unknown[];
  run(...params: unknown[]): Sqlite.RunResult;
}

/** One connection of the pool: statements are cached, and columns declared `boolean` come back as booleans, as on Postgres. */
export class SqliteConnection {
  private readonly statements = new Map<string, SqliteStatement>();

  constructor(private readonly database: Sqlite.Database) {}

  /** @param options.checkpointsElsewhere another program (Litestream) reads the log and alone writes it back into the database */
  static open(path: string, { checkpointsElsewhere = false }: SqliteOptions = {}): SqliteConnection {
    // A busy lock of another process blocks the event loop for this long at most; inside the process the pool never meets one.
    const database = new sqliteDriver(path, { timeout: checkpointsElsewhere ? 5_000 : 1_000 });
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = NORMAL');
    database.pragma('foreign_keys = ON');
    // Pages that change often are written back to the database once in a while, not again and again: 32 MB of log at most wait for it.
    // A gigabyte, where somebody else does it: only for when that one is gone.
    database.pragma(`wal_autocheckpoint = ${checkpointsElsewhere ? 262_144 : 8_000}`);
    return new SqliteConnection(database);
  }

  /** A database of its own, beginning as a copy of one that was written to a file; it is gone with the connection. */
  static inMemory(content: Buffer): SqliteConnection {
    const database = new sqliteDriver(content);
    database.pragma('foreign_keys = ON');
    return new SqliteConnection(database);
  }

  prepare(sql: string): SqliteStatement {
    const cached = this.statements.get(sql);
    if (cached !== undefined) return cached;
    const statement = withBooleans(this.database.prepare(sql));
    this.statements.set(sql, statement);
    const [oldest] = this.statements.keys();
    if (this.statements.size > STATEMENT_CACHE_SIZE && oldest !== undefined) this.statements.delete(oldest);
    return statement;
  }

  pragma(source: string): unknown {
    return this.database.pragma(source);
  }

  get inTransaction(): boolean {
    return this.database.inTransaction;
  }

  close(): void {
    this.statements.clear();
    this.database.close();
  }
}

function withBooleans(statement: Sqlite.Statement): SqliteStatement {
  if (!statement.reader) return { reader: false, all: () => [], run: (...params) => statement.run(...params) };
  const booleans = statement
    .columns()
    .filter((column) => column.type?.toLowerCase() === 'boolean')
    .map((column) => column.name);
  return {
    reader: true,
    run: (...params) => statement.run(...params),
    all: (...params) => {
      const rows = statement.all(...params);
      if (booleans.length > 0) for (const row of rows) convert(row as Record<string, unknown>, booleans);
      return rows;
    },
  };
}

function convert(row: Record<string, unknown>, booleans: readonly string[]): void {
  for (const name of booleans) {
    const value = row[name];
    if (typeof value === 'number') row[name] = value !== 0;
  }
}
