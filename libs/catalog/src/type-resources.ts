import type { Wire } from '@dstack/core';
import type { CatalogType } from './catalog-row.js';

/** What a machine of the type has, as an offer says it; null for a type that nobody knows enough of. */
export function typeResources(type: CatalogType, isSpot: boolean): Wire.Resources | null {
  const { cpus, memoryMib, gpu, cpuArch, diskGb } = type;
  if (cpus === null || memoryMib === null) return null;
  const one = gpu === null ? null : { name: gpu.name, vendor: gpu.vendor, memory_mib: gpu.memoryMib };
  return {
    cpus,
    memory_mib: memoryMib,
    gpus: one === null ? [] : Array.from({ length: gpu?.count ?? 0 }, () => one),
    spot: isSpot,
    ...(diskGb === null ? {} : { disk: { size_mib: diskGb * 1024 } }),
    cpu_arch: cpuArch,
    description: '',
  };
}
