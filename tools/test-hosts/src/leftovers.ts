import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeCgroups } from './remove-cgroups.js';
import { runProgram } from './run-program.js';

/** Followed by the pid of the test run: a network interface's name holds 15 bytes. */
export const RUN_PREFIX = 'dsth';

/**
 * What test runs left that were killed: namespaces, mounts and interfaces end with them, files and cgroups do not.
 */
export async function removeLeftovers(): Promise<void> {
  for (const entry of await readdir(tmpdir())) {
    if (isLeftover(entry)) await rm(join(tmpdir(), entry), { recursive: true, force: true });
  }
  for (const name of await cgroupNames()) {
    if (isLeftover(name)) await removeCgroups(`/${name}`);
  }
}

async function cgroupNames(): Promise<string[]> {
  const found = await runProgram([
    'sh',
    '-c',
    `cd /sys/fs/cgroup && ls -d ${RUN_PREFIX}* */${RUN_PREFIX}* 2>/dev/null || :`,
  ]);
  return [...new Set(found.split('\n').map((path) => path.slice(path.indexOf('/') + 1)))];
}

function isLeftover(name: string): boolean {
  const pid = new RegExp(`^${RUN_PREFIX}(\\d+)x`).exec(name)?.[1];
  return pid !== undefined && !existsSync(`/proc/${pid}`);
}
