import { readFile } from 'node:fs/promises';
import type { JobMetrics } from '@dstack/agent-protocol';
import type { Cgroup } from '../cgroup/cgroup.js';

export type CgroupUsage = Omit<JobMetrics, 'gpus'>;

/** Undefined when the group is not there. */
export async function readCgroupUsage(cgroup: Cgroup): Promise<CgroupUsage | undefined> {
  return cgroup.version === 2 ? readVersion2(cgroup.dir) : readVersion1(cgroup.cpuacct, cgroup.memory);
}

async function readVersion2(dir: string): Promise<CgroupUsage | undefined> {
  const [cpu, memory, stat] = await readAll([`${dir}/cpu.stat`, `${dir}/memory.current`, `${dir}/memory.stat`]);
  const usage = statField(cpu, 'usage_usec');
  if (usage === undefined || memory === undefined) return undefined;
  return memoryUsage(usage, Number(memory), statField(stat, 'inactive_file'));
}

async function readVersion1(cpuacctDir: string, memoryDir: string): Promise<CgroupUsage | undefined> {
  const [cpu, memory, stat] = await readAll([
    `${cpuacctDir}/cpuacct.usage`,
    `${memoryDir}/memory.usage_in_bytes`,
    `${memoryDir}/memory.stat`,
  ]);
  if (cpu === undefined || memory === undefined) return undefined;
  return memoryUsage(Math.floor(Number(cpu) / 1000), Number(memory), statField(stat, 'total_inactive_file'));
}

function memoryUsage(cpuUsageMicros: number, memoryUsageBytes: number, inactiveFile = 0): CgroupUsage {
  return {
    cpuUsageMicros,
    memoryUsageBytes,
    memoryWorkingSetBytes: Math.max(0, memoryUsageBytes - inactiveFile),
  };
}

function readAll(paths: readonly string[]): Promise<(string | undefined)[]> {
  return Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => undefined)));
}

function statField(text: string | undefined, name: string): number | undefined {
  const match = new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '');
  return match === null ? undefined : Number(match[1]);
}
