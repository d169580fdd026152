import { readdirSync, readFileSync } from 'node:fs';

export interface ProcEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Group in the foreground of its terminal; -1 without one. */
  readonly foregroundGroup: number;
  /** User and system time of it and of its dead children, in clock ticks. */
  readonly cpuTicks: number;
  /** Ticks since boot: with the pid it names a process for ever. */
  readonly startTicks: number;
  readonly rssPages: number;
}

/** One line of `/proc/<pid>/stat`; the command's name may hold anything, so fields are counted from its last `)`. */
export function parseProcStat(text: string): ProcEntry | undefined {
  const close = text.lastIndexOf(')');
  const pid = Number.parseInt(text, 10);
  if (close < 0 || !Number.isInteger(pid)) return undefined;
  const fields = text
    .slice(close + 2)
    .trim()
    .split(' ');
  const field = (index: number): number => Number(fields[index] ?? NaN);
  return {
    pid,
    parent: field(1),
    group: field(2),
    session: field(3),
    foregroundGroup: field(5),
    cpuTicks: field(11) + field(12) + field(13) + field(14),
    startTicks: field(19),
    rssPages: field(21),
  };
}

export function readProc(pid: number): ProcEntry | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // A zombie has ended; only its parent has not looked yet.
    return /\) [ZX] /.test(text) ? undefined : parseProcStat(text);
  } catch {
    return undefined;
  }
}

export function listProcs(): ProcEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProc(Number(name)) ?? []);
}

export function isSameProcess(pid: number, startTicks: number): boolean {
  return readProc(pid)?.startTicks === startTicks;
}
