import { readFile } from 'node:fs/promises';
import type { Cgroup } from './cgroup.js';

/** Processes of the group that the kernel killed for want of memory; 0 where it does not tell. */
export async function countOomKills(cgroup: Cgroup): Promise<number> {
  const path = cgroup.version === 2 ? `${cgroup.dir}/memory.events` : `${cgroup.memory}/memory.oom_control`;
  const text = await readFile(path, 'utf8').catch(() => '');
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}
