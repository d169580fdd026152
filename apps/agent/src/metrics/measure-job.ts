import type { JobMetrics } from '@dstack/agent-protocol';
import type { Cgroup } from '../cgroup/cgroup.js';
import { findJobProcesses } from '../process/job-processes.js';
import type { ProcEntry } from '../process/proc-table.js';
import { readCgroupUsage } from './cgroup-usage.js';

/** Linux has said 100 to user space for decades, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/** By its control group; where a process job has none, its processes are added up. */
export async function measureJob(
  cgroups: readonly Cgroup[],
  jobId: string,
  leaderPid: number | undefined,
): Promise<JobMetrics | undefined> {
  for (const cgroup of cgroups) {
    const usage = await readCgroupUsage(cgroup);
    if (usage !== undefined) return { ...usage, gpus: [] };
  }
  if (leaderPid === undefined) return undefined;
  return { ...sumProcesses(findJobProcesses({ jobId, session: leaderPid })), gpus: [] };
}

export function sumProcesses(processes: readonly ProcEntry[]): Omit<JobMetrics, 'gpus'> {
  const ticks = processes.reduce((sum, process) => sum + process.cpuTicks, 0);
  const memory = processes.reduce((sum, process) => sum + process.rssPages, 0) * PAGE_BYTES;
  return {
    cpuUsageMicros: Math.round((ticks * 1_000_000) / TICKS_PER_SECOND),
    memoryUsageBytes: memory,
    memoryWorkingSetBytes: memory,
  };
}
