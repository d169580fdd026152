import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Holds what we do for a job by our own rights inside the directory that is the job's: also when a link on the way leads out.
 * @throws when the path is, or leads, outside.
 */
export async function assertInside(root: string | undefined, path: string): Promise<void> {
  if (root === undefined) return;
  const realRoot = await realpath(root);
  let existing = path;
  let real = await realpath(existing).catch(() => undefined);
  while (real === undefined && existing !== '/') {
    existing = dirname(existing);
    real = await realpath(existing).catch(() => undefined);
  }
  if (real !== realRoot && !(real ?? '').startsWith(`${realRoot}/`)) {
    throw new Error(
      `${path} is outside the job's own directory, where a process on this host may not write: use a path below ~, or name an image`,
    );
  }
}
