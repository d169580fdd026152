import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { lockServerDirectory, ServerDirectoryLockedError } from '../../bootstrap/server-lock.js';
import type { OperationContext } from '../operation.js';
import { error, type Finding, ok, warning } from './finding.js';

const LITTLE_BYTES = 1024 ** 3;

export function checkDirectory({ settings, world }: OperationContext): Finding[] {
  const { serverDir } = settings;
  if (!existsSync(serverDir)) return [ok('directory', `${serverDir} is made by the first start`)];
  try {
    accessSync(serverDir, constants.W_OK);
  } catch {
    return [error('directory', `${serverDir} is not writable. Give it to the user of the server.`)];
  }
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

function checkLock(serverDir: string, now: number): Finding {
  try {
    lockServerDirectory(serverDir, now).release();
    return ok('running', 'no server uses this directory now');
  } catch (failure) {
    if (failure instanceof ServerDirectoryLockedError) return ok('running', 'a server uses this directory now');
    throw failure;
  }
}
