import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../files/write-file-atomically.js';

const FILE = 'gateway.pid';

/** Of the program that serves the directory now; null: there is none. The start time tells it from a stranger that got its number. */
export async function readPid(dir: string): Promise<number | null> {
  const text = await readFile(join(dir, FILE), 'utf8').catch(() => '');
  const pid = Number(text.trim());
  if (!Number.isInteger(pid) || pid <= 1) return null;
  const ticks = await readFile(join(dir, `${FILE}.started`), 'utf8').catch(() => '');
  return (await startTicks(pid)) === ticks.trim() ? pid : null;
}

/** systemd reads it, so there is nothing but a number in it. */
export async function writePid(dir: string): Promise<void> {
  await writeFileAtomically(join(dir, `${FILE}.started`), `${await startTicks(process.pid)}\n`);
  await writeFileAtomically(join(dir, FILE), `${process.pid}\n`, 0o644);
}

/** `none`: there is no such process. */
export async function startTicks(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name before it may hold anything.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 'none';
}
