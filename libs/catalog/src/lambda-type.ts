import { knownAccelerator, normaliseGpuName } from '@dstack/core';
import type { CatalogType } from './catalog-row.js';

/** A type as Lambda's API tells it. */
export interface LambdaInstanceType {
  readonly name: string;
  readonly gpu_description: string;
  readonly specs: {
    readonly vcpus: number;
    readonly memory_gib: number;
    readonly storage_gib: number;
    readonly gpus: number;
  };
}

/** Null for GPUs that nobody can ask for by name. */
export function lambdaType({ name, gpu_description: description, specs }: LambdaInstanceType): CatalogType | null {
  const base = {
    name,
    cpus: specs.vcpus,
    memoryMib: specs.memory_gib * 1024,
    diskGb: specs.storage_gib,
  };
  if (specs.gpus === 0) return { ...base, gpu: null, cpuArch: 'x86', flags: [] };
  const gpu = parseGpu(description);
  if (gpu === null) return null;
  const isGrace = /^G[BH]\d/.test(gpu.name);
  return {
    ...base,
    gpu: { ...gpu, count: specs.gpus },
    cpuArch: isGrace ? 'arm' : 'x86',
    flags: isGrace ? ['lambda-arm'] : [],
  };
}

/** `H100 (80 GB SXM5)` */
function parseGpu(description: string): { vendor: 'nvidia'; name: string; memoryMib: number } | null {
  const [, product, gb] = /^(.+?)\s*\((\d+)\s*GB\b/.exec(description) ?? [];
  if (product === undefined) return null;
  const known = knownAccelerator(normaliseGpuName(product));
  return known?.vendor === 'nvidia' ? { vendor: 'nvidia', name: known.name, memoryMib: Number(gb) * 1024 } : null;
}
