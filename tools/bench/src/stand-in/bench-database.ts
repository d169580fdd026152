import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@dstack/e2e/free-port';
import { startPostgres } from '@dstack/e2e/postgres';
import type { DatabaseLocation } from '@dstack/server/parts';

export type Dialect = DatabaseLocation['dialect'];

export interface BenchDatabase {
  readonly location: DatabaseLocation;
  remove(): Promise<void>;
}

/** A new, empty database that waits for the disk as in production; undefined where Postgres is not installed. */
export async function newDatabase(dialect: Dialect): Promise<BenchDatabase | undefined> {
  if (dialect === 'sqlite') {
    const directory = mkdtempSync(join(tmpdir(), 'dstack-bench-'));
    return {
      location: { dialect, path: join(directory, 'sqlite.db') },
      remove: async () => rmSync(directory, { recursive: true, force: true }),
    };
  }
  const server = await startPostgres(await freePort(), { waitsForDisk: true });
  if (server === undefined) return undefined;
  return { location: { dialect, url: server.url }, remove: () => server.stop() };
}
