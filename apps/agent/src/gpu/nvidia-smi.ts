import { driverField, type FoundGpu, type FoundGpus } from './found-gpus.js';
import type { GpuUsage } from './gpu-usage.js';
import { csvRows, toolNumber, toolValue } from './tool-value.js';

export const NVIDIA_LIST_ARGS = [
  '--query-gpu=name,memory.total,uuid,driver_version',
  '--format=csv,noheader,nounits',
] as const;
export const NVIDIA_USAGE_ARGS = [
  '--query-gpu=uuid,memory.used,utilization.gpu',
  '--format=csv,noheader,nounits',
] as const;

/** A device that cannot tell its name or UUID (fallen off the bus, say) is left out; the others stay usable. */
export function parseNvidiaList(text: string): FoundGpus {
  const gpus: FoundGpu[] = [];
  const problems: string[] = [];
  csvRows(text).forEach((fields, toolIndex) => {
    const [name, memory, uuid, driver] = fields.map(toolValue);
    if (fields.length !== 4 || name === undefined || uuid === undefined || !uuid.startsWith('GPU-')) {
      problems.push(`nvidia-smi: "${fields.join(', ')}" does not describe a GPU`);
      return;
    }
    // Devices that share the host's memory (GB10) have no number of their own.
    const memoryMib = Math.round(toolNumber(memory) ?? 0);
    gpus.push({ vendor: 'nvidia', name, memoryMib, lockId: uuid, ...driverField(driver), toolIndex });
  });
  return { gpus, problems };
}

/** By UUID. Utilisation is not told for devices split by MIG, memory not for those that share the host's (GB10): each counts as 0. */
export function parseNvidiaUsage(text: string): Map<string, GpuUsage> {
  const usage = new Map<string, GpuUsage>();
  for (const [uuid, memory, util] of csvRows(text)) {
    const utilPercent = toolNumber(util);
    const sharesMemory = memory === '[N/A]' && utilPercent !== undefined;
    const memoryMib = sharesMemory ? 0 : toolNumber(memory);
    if (uuid === undefined || !uuid.startsWith('GPU-') || memoryMib === undefined) continue;
    usage.set(uuid, { memoryUsageBytes: memoryMib * 1024 ** 2, utilPercent: utilPercent ?? 0 });
  }
  return usage;
}
