import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hasCode } from '../errors/has-code.js';
import { sqliteDriver } from '../persistence/sqlite-connection.js';

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
  makeDirectory(serverDir);
  const holderPath = join(serverDir, 'server.lock.json');
  const database = new sqliteDriver(join(serverDir, 'server.lock'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!hasCode(error, 'SQLITE_BUSY')) throw error;
    throw new ServerDirectoryLockedError(
      `${serverDir} is in use by another server${describeHolder(holderPath)}. Stop it, or start this one with another DSTACK_SERVER_DIR.`,
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

/** Step by step: where the system takes no directory at all (`/proc`), Node's own recursion never ends. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (hasCode(error, 'EEXIST') && statSync(path).isDirectory()) return;
    const parent = dirname(path);
    if (!hasCode(error, 'ENOENT') || parent === path) throw error;
    if (existsSync(parent))
      throw new ServerDirectoryRefusedError(
        `${parent} takes no directory, so the server has none: start with another DSTACK_SERVER_DIR.`,
      );
    makeDirectory(parent);
    mkdirSync(path, { mode: 0o700 });
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
