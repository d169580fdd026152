import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALL_MIGRATIONS, Database, migrate, openSqliteEngine, SqliteConnection } from '@dstack/server/parts';

let migrated: Promise<Buffer> | null = null;

/** Migrated once per process, by the server's own engine; each story begins with a copy. */
export function emptyDatabase(): Promise<Buffer> {
  migrated ??= (async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dstack-sim-'));
    try {
      const path = join(directory, 'sqlite.db');
      const engine = await openSqliteEngine({ path, clock: { now: () => 0 }, entities: [] });
      await migrate(new Database(engine), ALL_MIGRATIONS);
      await engine.close();
      // A copy in memory can have no write-ahead log.
      const connection = SqliteConnection.open(path);
      connection.pragma('journal_mode = DELETE');
      connection.close();
      return readFileSync(path);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  })();
  return migrated;
}
