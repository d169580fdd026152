import type * as Wire from '../wire/generated/api.js';
import { gpuRejections } from './match-gpu.js';
import { contains, formatNumber, formatRange } from './range.js';
import type { RejectionReason } from './rejection.js';

/** A disk of size 0 is unknown, as on hosts nobody asked; an absent one can be chosen at creation. Neither is filtered. */
export function knownDiskGb(resources: Wire.Resources): number | null {
  const sizeMib = resources.disk?.size_mib ?? 0;
  return sizeMib > 0 ? sizeMib / 1024 : null;
}

export function resourceRejections(spec: Wire.ResourcesSpec, resources: Wire.Resources): RejectionReason[] {
  const reasons: RejectionReason[] = [];
  const arch = resources.cpu_arch ?? 'x86';
  if (spec.cpu?.arch && spec.cpu.arch !== arch) {
    reasons.push({ code: 'cpu-arch', text: `cpu ${arch}, not ${spec.cpu.arch}` });
  }
  if (!contains(spec.cpu?.count, resources.cpus)) {
    reasons.push({ code: 'cpu-count', text: `cpus ${resources.cpus} ${outside(resources.cpus, spec.cpu?.count)}` });
  }
  const memoryGb = resources.memory_mib / 1024;
  if (!contains(spec.memory, memoryGb)) {
    reasons.push({
      code: 'memory',
      text: `memory ${formatNumber(memoryGb)}GB ${outside(memoryGb, spec.memory, 'GB')}`,
    });
  }
  const diskGb = knownDiskGb(resources);
  if (diskGb !== null && !contains(spec.disk?.size, diskGb)) {
    reasons.push({ code: 'disk', text: `disk ${formatNumber(diskGb)}GB ${outside(diskGb, spec.disk?.size, 'GB')}` });
  }
  return [...reasons, ...gpuRejections(spec.gpu, resources.gpus)];
}

function outside(value: number, range: { min?: number | null; max?: number | null } | undefined, unit = ''): string {
  return `${value < (range?.min ?? -Infinity) ? '<' : '>'} ${formatRange(range, unit)}`;
}
