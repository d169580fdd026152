import { readFile } from 'node:fs/promises';

const ENOUGH = 65_536;
const LEAST = 1_024;

/** How many files a process may open here, and needs to. */
export async function openFiles(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const hard = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? LEAST);
  return Math.min(ENOUGH, hard);
}
