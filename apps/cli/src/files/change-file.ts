import { mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CliError } from '../errors/cli-error.js';
import { errorCode } from '../errors/error-code.js';

const LOCK_TRIES = 100;
const LOCK_WAIT_MS = 50;
const STALE_LOCK_MS = 10_000;

/**
 * Rewrites a file of the user at once, one writer at a time, readable by its owner only; where a link leads to it, the link stays.
 * @param edit gets an empty text where there is no file
 * @throws {CliError} when another command holds the file for five seconds; what `edit` throws, and what reading and writing do
 */
export async function changeFile(path: string, edit: (text: string) => string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await orWhereMissing(realpath(path), path);
  const lock = `${file}.dstack-lock`;
  await takeLock(lock);
  try {
    const before = await orWhereMissing(readFile(file, 'utf8'), '');
    const after = edit(before);
    if (after === before) return;
    const temporary = `${file}.${process.pid}.tmp`;
    await writeFile(temporary, after, { mode: 0o600 });
    await rename(temporary, file);
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function orWhereMissing(found: Promise<string>, other: string): Promise<string> {
  try {
    return await found;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return other;
    throw error;
  }
}

async function takeLock(lock: string): Promise<void> {
  for (let attempt = 0; attempt < LOCK_TRIES; attempt += 1) {
    try {
      await mkdir(lock);
      return;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      const info = await stat(lock).catch(() => undefined);
      // Its holder died: these locks are held for milliseconds.
      if (info && Date.now() - info.mtimeMs > STALE_LOCK_MS) await rm(lock, { recursive: true, force: true });
      else await wait(LOCK_WAIT_MS);
    }
  }
  throw new CliError(`${lock} is held by another dstack command.`, {
    hint: 'If none is running, remove that directory.',
  });
}
