import type * as Wire from '../wire/generated/api.js';
import { rejectGpus } from './match-gpu.js';
import { contains, formatNumber, formatRange } from './range.js';
import { collectRejections, type Reject, type RejectionReason } from './rejection.js';

/** A disk of size 0 is unknown, as on hosts nobody asked; an absent one can be chosen at creation. Neither is filtered. */
export function knownDiskGb(resources: Wire.Resources): number | null {
  const sizeMib = resources.disk?.size_mib ?? 0;
  return sizeMib > 0 ? sizeMib / 1024 : null;
}

export function resourceRejections(spec: Wire.ResourcesSpec, resources: Wire.Resources): RejectionReason[] {
  return collectRejections((reject) => {
    rejectResources(spec, resources, reject);
  });
}

export function rejectResources(
  spec: Wire.ResourcesSpec,
  resources: Wire.Resources,
  reject: Reject,
  { isOneOfGroup = false } = {},
): void {
  const { cpus } = resources;
  const arch = resources.cpu_arch ?? 'x86';
  const wantedArch = spec.cpu?.arch;
  if (wantedArch && wantedArch !== arch) reject('cpu-arch', () => `cpu ${arch}, not ${wantedArch}`);
  if (!contains(spec.cpu?.count, cpus)) reject('cpu-count', () => `cpus ${cpus} ${outside(cpus, spec.cpu?.count)}`);
  const memoryGb = resources.memory_mib / 1024;
  if (!contains(spec.memory, memoryGb))
    reject('memory', () => `memory ${formatNumber(memoryGb)}GB ${outside(memoryGb, spec.memory, 'GB')}`);
  const diskGb = knownDiskGb(resources);
  if (diskGb !== null && !contains(spec.disk?.size, diskGb))
    reject('disk', () => `disk ${formatNumber(diskGb)}GB ${outside(diskGb, spec.disk?.size, 'GB')}`);
  rejectGpus(spec.gpu, resources.gpus, reject, { isOneOfGroup });
}

function outside(value: number, range: { min?: number | null; max?: number | null } | undefined, unit = ''): string {
  return `${value < (range?.min ?? -Infinity) ? '<' : '>'} ${formatRange(range, unit)}`;
}
