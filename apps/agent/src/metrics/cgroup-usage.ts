import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobMetrics } from '@dstack/agent-protocol';

export type CgroupUsage = Omit<JobMetrics, 'gpus'>;

/** Usage of the control group mounted at `root` (a container's own), of either version. Undefined when neither is there. */
export async function readCgroupUsage(root: string): Promise<CgroupUsage | undefined> {
  return (await readVersion2(root)) ?? (await readVersion1(root));
}

async function readVersion2(root: string): Promise<CgroupUsage | undefined> {
  const [cpu, memory, stat] = await readAll(root, ['cpu.stat', 'memory.current', 'memory.stat']);
  const usage = statField(cpu, 'usage_usec');
  if (usage === undefined || memory === undefined) return undefined;
  return memoryUsage(usage, Number(memory), statField(stat, 'inactive_file'));
}

async function readVersion1(root: string): Promise<CgroupUsage | undefined> {
  const [cpu, memory, stat] = await readAll(root, [
    'cpuacct/cpuacct.usage',
    'memory/memory.usage_in_bytes',
    'memory/memory.stat',
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

function readAll(root: string, names: readonly string[]): Promise<(string | undefined)[]> {
  return Promise.all(names.map((name) => readFile(join(root, name), 'utf8').catch(() => undefined)));
}

function statField(text: string | undefined, name: string): number | undefined {
  const match = new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '');
  return match === null ? undefined : Number(match[1]);
}
