import { chmod, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Mount } from '@dstack/agent-protocol';
import type { BindMount } from './bind-mount.js';

export type InstanceMount = Extract<Mount, { kind: 'instance' }>;

/**
 * Directories of the host that a job asked for. A missing one is made, open to all, since the job's user is not known here; one that is
 * there keeps its owner and mode. What cannot be made is an error, unless the job said it can do without.
 */
export async function prepareInstanceMounts(
  mounts: readonly InstanceMount[],
  log: (line: string) => void,
): Promise<BindMount[]> {
  const prepared: BindMount[] = [];
  for (const { instancePath, path, optional } of mounts) {
    try {
      await ensurePath(instancePath);
      prepared.push({ hostPath: instancePath, path });
    } catch (error) {
      const why = `cannot mount ${instancePath} of the instance at ${path}: ${error instanceof Error ? error.message : String(error)}`;
      if (!optional) throw new Error(why, { cause: error });
      log(`${why}; it is optional, the job goes on without`);
    }
  }
  return prepared;
}

async function ensurePath(path: string): Promise<void> {
  if (await exists(path)) return;
  await makeParents(dirname(path));
  await mkdir(path);
  // Not by mkdir's mode: the umask would take from it.
  await chmod(path, 0o777);
}

/** Step by step: Node's recursive mkdir never returns where a directory that exists refuses children by ENOENT, as /proc does. */
async function makeParents(path: string): Promise<void> {
  if (await exists(path)) return;
  await makeParents(dirname(path));
  await mkdir(path);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
