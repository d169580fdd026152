import { readdir, readFile } from 'node:fs/promises';

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly args: readonly string[];
  /** Null where it is not ours to read. */
  readonly jobId: string | null;
}

/** All processes of this machine; empty on systems without /proc. */
export async function listProcesses(): Promise<ProcessEntry[]> {
  const names = await readdir('/proc').catch(() => []);
  const entries = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map((name) => readEntry(Number(name))));
  return entries.filter((entry) => entry !== null);
}

async function readEntry(pid: number): Promise<ProcessEntry | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (parent === undefined || state === 'Z') return null;
  const args = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  const jobId = environment.split('\0').find((line) => line.startsWith('DSTACK_JOB_ID='));
  return { pid, parent: Number(parent), args: args.split('\0'), jobId: jobId?.slice('DSTACK_JOB_ID='.length) ?? null };
}

/**
 * What an instance left running: the agent's own processes (`--dir` within its directory), everything that carries one of its job
 * ids, and their descendants. Somebody's shell or pager that merely looks into the directory is none of it.
 */
export function processesOf(
  processes: readonly ProcessEntry[],
  instance: { readonly directory: string; readonly jobIds: ReadonlySet<string> },
): number[] {
  const found = new Set<number>();
  const isOurs = (entry: ProcessEntry) =>
    servesDirectory(entry.args, instance.directory) || (entry.jobId !== null && instance.jobIds.has(entry.jobId));
  for (const entry of processes) if (isOurs(entry)) found.add(entry.pid);
  for (let grew = true; grew;) {
    const children = processes.filter(({ pid, parent }) => found.has(parent) && !found.has(pid));
    grew = children.length > 0;
    for (const { pid } of children) found.add(pid);
  }
  return [...found];
}

function servesDirectory(args: readonly string[], directory: string): boolean {
  const path = args[args.indexOf('--dir') + 1];
  return args.includes('--dir') && path !== undefined && (path === directory || path.startsWith(`${directory}/`));
}
