import type { FoundGpu, FoundGpus } from './found-gpus.js';
import type { GpuUsage } from './gpu-usage.js';
import { csvRows, toolNumber, toolValue } from './tool-value.js';

export const GAUDI_LIST_ARGS = ['--query-aip=name,memory.total,index', '--format=csv,noheader,nounits'] as const;
export const GAUDI_USAGE_ARGS = [
  '--query-aip=index,memory.used,utilization.aip',
  '--format=csv,noheader,nounits',
] as const;

export function parseGaudiList(text: string): FoundGpus {
  const gpus: FoundGpu[] = [];
  const problems: string[] = [];
  for (const fields of csvRows(text)) {
    const name = toolValue(fields[0]);
    const index = toolNumber(fields[2]);
    if (fields.length !== 3 || name === undefined || index === undefined) {
      problems.push(`hl-smi: "${fields.join(', ')}" does not describe an accelerator`);
      continue;
    }
    const memoryMib = Math.round(toolNumber(fields[1]) ?? 0);
    gpus.push({ vendor: 'intel', name, memoryMib, lockId: String(index), toolIndex: index });
  }
  return { gpus, problems };
}

/** By the tool's index, which is the lock id too. */
export function parseGaudiUsage(text: string): Map<number, GpuUsage> {
  const usage = new Map<number, GpuUsage>();
  for (const [index, memory, util] of csvRows(text)) {
    const number = toolNumber(index);
    const memoryMib = toolNumber(memory);
    if (number === undefined || memoryMib === undefined) continue;
    usage.set(number, { memoryUsageBytes: memoryMib * 1024 ** 2, utilPercent: toolNumber(util) ?? 0 });
  }
  return usage;
}
