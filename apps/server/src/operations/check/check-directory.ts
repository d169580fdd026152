import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { lockServerDirectory, ServerDirectoryLockedError } from '../../bootstrap/server-lock.js';
import type { OperationContext } from '../operation.js';
import { error, type Finding, ok, warning } from './finding.js';

const LITTLE_BYTES = 1024 ** 3;

export function checkDirectory({ settings, world }: OperationContext): Finding[] {
  const { serverDir } = settings;
  if (!existsSync(serverDir)) return [checkPlace(serverDir)];
  if (!isWritable(serverDir))
    return [error('directory', `${serverDir} is not writable. Give it to the user of the server.`)];
  const { bavail, bsize } = statfsSync(serverDir);
  const free = bavail * bsize;
  const room = `${(free / 1024 ** 3).toFixed(1)} GiB free`;
  return [
    free < LITTLE_BYTES
      ? warning('directory', `${serverDir}: only ${room}. Logs stop at 512 MiB: free some space.`)
      : ok('directory', `${serverDir}, ${room}`),
    checkLock(serverDir, world.clock.now()),
  ];
}

/** Where the first start makes it. */
function checkPlace(serverDir: string): Finding {
  let parent = dirname(serverDir);
  while (!existsSync(parent) && dirname(parent) !== parent) parent = dirname(parent);
  return isWritable(parent)
    ? ok('directory', `${serverDir} is made by the first start`)
    : error(
        'directory',
        `${serverDir} cannot be made: ${parent} is not writable. Make it, for the user of the server.`,
      );
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function checkLock(serverDir: string, now: number): Finding {
  try {
    lockServerDirectory(serverDir, now).release();
    return ok('running', 'no server uses this directory now');
  } catch (failure) {
    if (failure instanceof ServerDirectoryLockedError) return ok('running', 'a server uses this directory now');
    throw failure;
  }
}
