import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { NginxProgram } from './nginx-program.js';

const LONGEST_BYTES = 64 * 1024 * 1024;

/** Keeps one former file of each log, so that logs never fill the disk. */
export async function rotateLogs(program: NginxProgram): Promise<void> {
  let hasMoved = false;
  for (const name of ['access.log', 'error.log']) {
    const path = join(program.directory, name);
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size <= LONGEST_BYTES) continue;
    await rename(path, `${path}.1`);
    hasMoved = true;
  }
  if (hasMoved) await program.signal('SIGUSR1');
}
