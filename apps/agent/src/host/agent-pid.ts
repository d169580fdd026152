import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import { isSameProcess, readProc } from '../process/proc-table.js';

export const AGENT_PID_FILE = 'agent.pid';

/** Of the live agent that serves the directory. The start time tells it from a stranger that got its number. */
export async function readAgentPid(dir: string): Promise<number | undefined> {
  const text = await readFile(join(dir, AGENT_PID_FILE), 'utf8').catch(() => '');
  const [pid = NaN, ticks = NaN] = text.trim().split(' ').map(Number);
  return isSameProcess(pid, ticks) ? pid : undefined;
}

/** One agent per directory: two would fight over its jobs. */
export async function takeAgentPid(dir: string): Promise<void> {
  const pid = await readAgentPid(dir);
  if (pid !== undefined && pid !== process.pid) {
    throw new Error(`another agent (pid ${pid}) already serves this directory`);
  }
  const ticks = readProc(process.pid)?.startTicks ?? 0;
  await writeFileAtomically(join(dir, AGENT_PID_FILE), `${process.pid} ${ticks}\n`, 0o644);
}
