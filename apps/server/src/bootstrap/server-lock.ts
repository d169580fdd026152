import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../errors/has-code.js';
import { sqliteDriver } from '../persistence/sqlite-connection.js';
import { DirectoryRefusedError, makeDirectory } from './make-directory.js';

/** Another server uses this directory; says which. */
export class ServerDirectoryLockedError extends Error {
  override readonly name = 'ServerDirectoryLockedError';
}

/** There can be no directory of that name. */
export class ServerDirectoryRefusedError extends Error {
  override readonly name = 'ServerDirectoryRefusedError';
}

export interface ServerLock {
  release(): void;
}

/** An exclusive lock on the server directory. The operating system drops it with the process, however that ends. */
export function lockServerDirectory(serverDir: string, now: number): ServerLock {
  makeServerDirectory(serverDir);
  const holderPath = join(serverDir, 'server.lock.json');
  const database = new sqliteDriver(join(serverDir, 'server.lock'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!hasCode(error, 'SQLITE_BUSY')) throw error;
    throw new ServerDirectoryLockedError(
      `${serverDir} is in use by another server${describeHolder(holderPath)}. Stop it, or set another DSTACK_SERVER_DIR.`,
    );
  }
  writeFileSync(holderPath, JSON.stringify({ pid: process.pid, since: new Date(now).toISOString() }), { mode: 0o600 });
  return {
    release: () => {
      rmSync(holderPath, { force: true });
      database.exec('ROLLBACK');
      database.close();
    },
  };
}

function makeServerDirectory(path: string): void {
  try {
    makeDirectory(path);
  } catch (error) {
    if (!(error instanceof DirectoryRefusedError)) throw error;
    throw new ServerDirectoryRefusedError(
      `${error.message}, so the server has none: start with another DSTACK_SERVER_DIR.`,
    );
  }
}

function describeHolder(path: string): string {
  try {
    const { pid, since } = JSON.parse(readFileSync(path, 'utf8')) as { pid?: unknown; since?: unknown };
    return ` (process ${String(pid)}, since ${String(since)})`;
  } catch {
    return ''; // it holds the lock but has not written who it is yet
  }
}
