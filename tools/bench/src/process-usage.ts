import { readFileSync } from 'node:fs';

const MS_PER_TICK = 10;

/** CPU milliseconds that a living process has used so far, in steps of 10 ms; those of its ended and waited-for children apart. Linux only. */
export function cpuOf(pid: number | 'self'): { readonly own: number; readonly children: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = (index: number): number => Number(fields[index]);
  return { own: (ticks(11) + ticks(12)) * MS_PER_TICK, children: (ticks(13) + ticks(14)) * MS_PER_TICK };
}

/** Resident memory of a living process in KB. */
export function residentKb(pid: number): number {
  const line = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN);
}

/** Living processes that a process has started, with its first thread. Linux only. */
export function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').flatMap((child) => (child.trim() === '' ? [] : [Number(child)]));
}

/** Milliseconds that the main thread of a living process was ready and had no CPU to run on, so far. Linux only. */
export function waitedForCpuMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
}
