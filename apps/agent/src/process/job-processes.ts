import { readFileSync, statSync } from 'node:fs';
import { listProcs, type ProcEntry, readProc } from './proc-table.js';

/** How to recognise what a job left running, wherever it moved. */
export interface JobMarks {
  readonly jobId: string;
  /** Session its commands started in. */
  readonly session?: number;
  /** Set when no other process may have this uid. */
  readonly ownUid?: number;
}

/** Processes of a job: of its session, its descendants, of its own uid, or (having left all those) still carrying its id in the environment. */
export function findJobProcesses(marks: JobMarks): ProcEntry[] {
  const all = listProcs();
  const marker = `DSTACK_JOB_ID=${marks.jobId}`;
  const found = new Set<number>();
  for (const proc of all) {
    if (proc.pid === process.pid) continue;
    if (
      (marks.session !== undefined && proc.session === marks.session) ||
      (marks.ownUid !== undefined && uidOf(proc.pid) === marks.ownUid) ||
      hasInEnvironment(proc.pid, marker)
    ) {
      found.add(proc.pid);
    }
  }
  for (let grown = true; grown;) {
    grown = false;
    for (const proc of all) {
      if (found.has(proc.parent) && !found.has(proc.pid) && proc.pid !== process.pid) {
        found.add(proc.pid);
        grown = true;
      }
    }
  }
  return all.filter((proc) => found.has(proc.pid));
}

/**
 * Asks a job to end: its leader's group, where a script's `trap` sits, and the group in the foreground of its terminal, where the command
 * runs that an interactive shell waits for. A shell runs its trap once that command has ended.
 */
export function interruptSession(leaderPid: number): void {
  const leader = readProc(leaderPid);
  const groups = new Set([leader?.group ?? leaderPid]);
  if (leader !== undefined && leader.foregroundGroup > 1) groups.add(leader.foregroundGroup);
  for (const group of groups) signalQuietly(-group, 'SIGINT');
}

export function isAloneInSession(leaderPid: number): boolean {
  return listProcs().every((proc) => proc.session !== leaderPid || proc.pid === leaderPid);
}

/** Repeats until nothing is left, as a process may fork while we look. */
export function killJobProcesses(marks: JobMarks): void {
  for (let round = 0; round < 10; round++) {
    const left = findJobProcesses(marks);
    if (left.length === 0) return;
    for (const proc of left) signalQuietly(proc.pid, 'SIGKILL');
  }
}

export function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone.
  }
}

function uidOf(pid: number): number | undefined {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return undefined;
  }
}

function hasInEnvironment(pid: number, entry: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(entry);
  } catch {
    return false;
  }
}
