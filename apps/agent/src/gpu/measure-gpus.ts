import { basename } from 'node:path';
import { AMD_USAGE_ARGS, parseAmdUsage } from './amd-smi.js';
import type { GpuInventory } from './discover-gpus.js';
import type { GpuUsage } from './gpu-usage.js';
import { measureWith, nvidiaTool } from './gpu-tools.js';
import { GAUDI_USAGE_ARGS, parseGaudiUsage } from './hl-smi.js';
import { hostProbe, type HostProbe } from './host-probe.js';
import { NVIDIA_USAGE_ARGS, parseNvidiaUsage } from './nvidia-smi.js';
import { toolNumber } from './tool-value.js';

export type GpuUsageByLockId = ReadonlyMap<string, GpuUsage>;

/** Usage of each device by lock id. Never throws: what cannot be measured is absent. */
export async function measureGpus(inventory: GpuInventory, probe: HostProbe = hostProbe): Promise<GpuUsageByLockId> {
  if (inventory.gpus.length === 0) return new Map();
  try {
    return await measure(inventory, probe);
  } catch {
    return new Map();
  }
}

async function measure(inventory: GpuInventory, probe: HostProbe): Promise<GpuUsageByLockId> {
  switch (inventory.vendor) {
    case 'nvidia':
      return parseNvidiaUsage(await measureWith(probe, nvidiaTool(probe), NVIDIA_USAGE_ARGS));
    case 'amd':
      return measureAmd(inventory, probe);
    case 'intel':
      return byLockId(parseGaudiUsage(await measureWith(probe, 'hl-smi', GAUDI_USAGE_ARGS)), inventory);
    case 'tenstorrent':
    case 'google':
    case undefined:
      return new Map();
  }
}

/** The kernel tells the same as the tool, on every host and at no cost; the tool is for kernels that do not. */
async function measureAmd(inventory: GpuInventory, probe: HostProbe): Promise<GpuUsageByLockId> {
  const usage = new Map<string, GpuUsage>();
  for (const { lockId } of inventory.gpus) {
    const device = `/sys/class/drm/${basename(lockId)}/device`;
    const memory = toolNumber(probe.readText(`${device}/mem_info_vram_used`));
    const util = toolNumber(probe.readText(`${device}/gpu_busy_percent`));
    if (memory !== undefined && util !== undefined) usage.set(lockId, { memoryUsageBytes: memory, utilPercent: util });
  }
  if (usage.size === inventory.gpus.length) return usage;
  return byLockId(parseAmdUsage(await measureWith(probe, 'amd-smi', AMD_USAGE_ARGS)), inventory);
}

function byLockId(usage: ReadonlyMap<number, GpuUsage>, inventory: GpuInventory): GpuUsageByLockId {
  const renamed = new Map<string, GpuUsage>();
  for (const [index, value] of usage) {
    const lockId = inventory.lockIdByToolIndex.get(index);
    if (lockId !== undefined) renamed.set(lockId, value);
  }
  return renamed;
}
