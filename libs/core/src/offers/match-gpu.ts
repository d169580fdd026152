import type * as Wire from '../wire/generated/api.js';
import { isSingleHostTpu, isTpuName, knownAccelerator } from './known-accelerators.js';
import { contains, formatNumber, formatRange } from './range.js';
import type { RejectionReason } from './rejection.js';

type GpuSpec = NonNullable<Wire.ResourcesSpec['gpu']>;

/** What a machine's accelerators lack for a requirement; empty when they do. A requirement that starts at 0 takes machines without any. */
export function gpuRejections(spec: GpuSpec | null | undefined, gpus: readonly Wire.Gpu[]): RejectionReason[] {
  const gpu = gpus[0];
  if (gpu !== undefined && isTpuName(gpu.name) && !isSingleHostTpu(gpu.name)) {
    return [{ code: 'tpu', text: `${gpu.name} spans several hosts` }];
  }
  if (spec === null || spec === undefined) return [];
  if (gpu === undefined && (spec.count?.min ?? 0) === 0) return [];
  if (!contains(spec.count, gpus.length)) {
    return [{ code: 'gpu-count', text: `gpus ${gpus.length} not in ${formatRange(spec.count)}` }];
  }
  if (gpu === undefined) return [];
  return [...identityRejections(spec, gpu), ...sizeRejections(spec, gpu, gpus)];
}

function identityRejections(spec: GpuSpec, gpu: Wire.Gpu): RejectionReason[] {
  const reasons: RejectionReason[] = [];
  const known = knownAccelerator(gpu.name);
  const vendor = gpu.vendor ?? known?.vendor ?? null;
  if (spec.vendor && vendor !== spec.vendor) {
    reasons.push({ code: 'gpu-vendor', text: `gpu vendor ${vendor ?? 'unknown'}, not ${spec.vendor}` });
  }
  if (spec.name && !spec.name.some((name) => name.toLowerCase() === gpu.name.toLowerCase())) {
    reasons.push({ code: 'gpu-name', text: `gpu ${gpu.name}, not ${spec.name.join(' or ')}` });
  }
  const wanted = spec.compute_capability;
  if (wanted && !(vendor === 'nvidia' && atLeast(known?.computeCapability, wanted))) {
    const has = known?.computeCapability?.join('.') ?? 'unknown';
    reasons.push({ code: 'gpu-compute-capability', text: `compute capability ${has} < ${wanted.join('.')}` });
  }
  return reasons;
}

function sizeRejections(spec: GpuSpec, gpu: Wire.Gpu, gpus: readonly Wire.Gpu[]): RejectionReason[] {
  // TPU memory is not part of the catalogue: 0 there means unknown.
  if (isTpuName(gpu.name)) return [];
  const reasons: RejectionReason[] = [];
  const memoryGb = gpu.memory_mib / 1024;
  const totalGb = gpus.reduce((sum, each) => sum + each.memory_mib, 0) / 1024;
  if (!contains(spec.memory, memoryGb)) {
    reasons.push({ code: 'gpu-memory', text: `gpu memory ${compare(memoryGb, spec.memory)}` });
  }
  if (!contains(spec.total_memory, totalGb)) {
    reasons.push({ code: 'gpu-total-memory', text: `total gpu memory ${compare(totalGb, spec.total_memory)}` });
  }
  return reasons;
}

function compare(valueGb: number, range: { min?: number | null; max?: number | null } | null | undefined): string {
  const sign = valueGb < (range?.min ?? -Infinity) ? '<' : '>';
  return `${formatNumber(valueGb)}GB ${sign} ${formatRange(range, 'GB')}`;
}

function atLeast(has: readonly number[] | undefined, wanted: readonly number[]): boolean {
  if (has === undefined) return false;
  const [major = 0, minor = 0] = has;
  const [wantedMajor = 0, wantedMinor = 0] = wanted;
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
