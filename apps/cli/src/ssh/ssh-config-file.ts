import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CliError } from '../errors/cli-error.js';
import type { SshHostEntry } from './host-entries.js';
import { withHosts, withoutHolders } from './ssh-config-blocks.js';

const LOCK_TRIES = 100;
const LOCK_WAIT_MS = 50;
const STALE_LOCK_MS = 10_000;

export function sshConfigPath(home: string): string {
  return join(home, '.dstack', 'ssh', 'config');
}

/** Puts entries into our SSH configuration for this process, and lets the user's configuration include it. */
export async function addHosts(home: string, entries: readonly SshHostEntry[], identityFile: string): Promise<void> {
  await change(sshConfigPath(home), (text) => {
    const swept = withoutHolders(text, (pid) => pid !== process.pid && !isAlive(pid));
    return withHosts(swept, entries, identityFile, process.pid);
  });
  const include = `Include "${sshConfigPath(home)}"`;
  await change(join(home, '.ssh', 'config'), (text) =>
    text.split('\n').some((line) => line.trim() === include || line.trim() === include.replaceAll('"', ''))
      ? text
      : `${include}\n${text}`,
  );
}

/** Takes this process's hosts out again, and those of commands that died without doing so. */
export async function releaseHosts(home: string): Promise<void> {
  await change(sshConfigPath(home), (text) => withoutHolders(text, (pid) => pid === process.pid || !isAlive(pid)));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Rewrites a file at once, one writer at a time. */
async function change(path: string, edit: (text: string) => string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const lock = `${path}.dstack-lock`;
  await takeLock(lock);
  try {
    const before = await readFile(path, 'utf8').catch(() => '');
    const after = edit(before);
    if (after === before) return;
    const temporary = `${path}.${process.pid}.tmp`;
    await writeFile(temporary, after, { mode: 0o600 });
    await rename(temporary, path);
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function takeLock(lock: string): Promise<void> {
  for (let attempt = 0; attempt < LOCK_TRIES; attempt += 1) {
    try {
      await mkdir(lock);
      return;
    } catch {
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
