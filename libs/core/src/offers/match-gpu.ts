import type * as Wire from '../wire/generated/api.js';
import { includesIgnoringCase } from './includes-ignoring-case.js';
import { isSingleHostTpu, isTpuName, knownAccelerator } from './known-accelerators.js';
import { contains, formatNumber, formatRange } from './range.js';
import type { Reject } from './rejection.js';

type GpuSpec = NonNullable<Wire.ResourcesSpec['gpu']>;

/** Tells what a machine's accelerators lack for a requirement. A requirement that starts at 0 takes machines without any. */
export function rejectGpus(
  spec: GpuSpec | null | undefined,
  gpus: readonly Wire.Gpu[],
  reject: Reject,
  { isOneOfGroup = false } = {},
): void {
  const gpu = gpus[0];
  if (gpu !== undefined && !isOneOfGroup && isTpuName(gpu.name) && !isSingleHostTpu(gpu.name)) {
    reject('tpu', () => `${gpu.name} spans several hosts`);
    return;
  }
  if (spec === null || spec === undefined) return;
  if (gpu === undefined && (spec.count?.min ?? 0) === 0) return;
  if (!contains(spec.count, gpus.length)) {
    reject('gpu-count', () => `gpus ${gpus.length} not in ${formatRange(spec.count)}`);
    return;
  }
  if (gpu === undefined) return;
  rejectIdentity(spec, gpu, reject);
  rejectSize(spec, gpu, gpus, reject);
}

function rejectIdentity(spec: GpuSpec, gpu: Wire.Gpu, reject: Reject): void {
  const { vendor: wantedVendor, name: names, compute_capability: wanted } = spec;
  if (names && !includesIgnoringCase(names, gpu.name))
    reject('gpu-name', () => `gpu ${gpu.name}, not ${names.join(' or ')}`);
  if (!wantedVendor && !wanted) return;
  const known = knownAccelerator(gpu.name);
  const vendor = gpu.vendor ?? known?.vendor ?? null;
  if (wantedVendor && vendor !== wantedVendor)
    reject('gpu-vendor', () => `gpu vendor ${vendor ?? 'unknown'}, not ${wantedVendor}`);
  if (wanted && !(vendor === 'nvidia' && atLeast(known?.computeCapability, wanted)))
    reject(
      'gpu-compute-capability',
      () => `compute capability ${known?.computeCapability?.join('.') ?? 'unknown'} < ${wanted.join('.')}`,
    );
}

function rejectSize(spec: GpuSpec, gpu: Wire.Gpu, gpus: readonly Wire.Gpu[], reject: Reject): void {
  // TPU memory is not part of the catalogue: 0 there means unknown.
  if (isTpuName(gpu.name)) return;
  const memoryGb = gpu.memory_mib / 1024;
  const totalGb = gpus.reduce((sum, each) => sum + each.memory_mib, 0) / 1024;
  if (!contains(spec.memory, memoryGb)) reject('gpu-memory', () => `gpu memory ${compare(memoryGb, spec.memory)}`);
  if (!contains(spec.total_memory, totalGb))
    reject('gpu-total-memory', () => `total gpu memory ${compare(totalGb, spec.total_memory)}`);
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
