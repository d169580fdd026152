import { statfs } from 'node:fs/promises';
import type { DiskFact } from './collect-health.js';

/** Each disk once, by the first path on it; paths that are not there have none. */
export async function measureDisks(paths: readonly string[]): Promise<DiskFact[]> {
  const disks = new Map<string, DiskFact>();
  for (const path of paths) {
    const found = await statfs(path).catch(() => undefined);
    if (found === undefined) continue;
    const fact = { path, freeBytes: found.bavail * found.bsize, totalBytes: found.blocks * found.bsize };
    const key = `${found.type} ${found.blocks} ${found.files}`;
    if (!disks.has(key)) disks.set(key, fact);
  }
  return [...disks.values()];
}
