import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Workers of a master that was killed: they serve on and keep the ports, or what they keep of answers. Known by the log that they have open. */
export async function orphanWorkers(directory: string): Promise<number[]> {
  const log = join(directory, 'access.log');
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const title = await readFile(`/proc/${name}/cmdline`, 'latin1').catch(() => '');
    if (/^nginx: (worker|cache manager) process/.test(title) && (await hasOpen(name, log))) found.push(Number(name));
  }
  return found;
}

async function hasOpen(pid: string, path: string): Promise<boolean> {
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const file of files) {
    const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => '');
    if (target === path || target === `${path}.1`) return true;
  }
  return false;
}
