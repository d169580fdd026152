import type { Wire } from '@dstack/core';

/** `gpu=L4:24GB:1`, or undefined without GPU. */
export function formatGpus(resources: Wire.Resources): string | undefined {
  const [gpu] = resources.gpus;
  return gpu ? `gpu=${gpu.name}:${formatMib(gpu.memory_mib)}:${resources.gpus.length}` : undefined;
}

/** `cpu=4 mem=16GB disk=100GB gpu=L4:24GB:1`. */
export function formatResources(resources: Wire.Resources): string {
  const arch = resources.cpu_arch === 'arm' ? 'arm:' : '';
  const parts = [`cpu=${arch}${resources.cpus}`, `mem=${formatMib(resources.memory_mib)}`];
  if (resources.disk && resources.disk.size_mib > 0) parts.push(`disk=${formatMib(resources.disk.size_mib)}`);
  const gpus = formatGpus(resources);
  return gpus === undefined ? parts.join(' ') : [...parts, gpus].join(' ');
}

export function formatMib(mib: number): string {
  if (mib < 1024) return `${Math.round(mib)}MB`;
  return `${Number((mib / 1024).toFixed(mib % 1024 === 0 ? 0 : 1))}GB`;
}

export interface Range {
  readonly min?: number | null;
  readonly max?: number | null;
}

/** `2..8`, `2..`, `..8`, `4`. */
export function formatRange(range: Range | null | undefined, unit = ''): string {
  const { min = null, max = null } = range ?? {};
  if (min !== null && min === max) return formatBound(min, unit);
  return `${min === null ? '' : formatBound(min, unit)}..${max === null ? '' : formatBound(max, unit)}`;
}

function formatBound(value: number, unit: string): string {
  if (unit === 'GB' && value < 1) return `${Math.round(value * 1024)}MB`;
  return `${Number(value.toFixed(2))}${unit}`;
}

/** What is asked for: `cpu=x86:2.. mem=16GB.. disk=100GB.. gpu=nvidia:24GB..:1`. */
export function formatResourcesSpec(spec: Wire.ResourcesSpec): string {
  const parts: string[] = [];
  if (spec.cpu) parts.push(`cpu=${spec.cpu.arch ? `${spec.cpu.arch}:` : ''}${formatRange(spec.cpu.count)}`);
  if (spec.memory) parts.push(`mem=${formatRange(spec.memory, 'GB')}`);
  if (spec.disk) parts.push(`disk=${formatRange(spec.disk.size, 'GB')}`);
  const gpu = spec.gpu;
  if (
    gpu &&
    gpu.count &&
    gpu.count.max !== 0 &&
    !(gpu.count.min === 0 && gpu.count.max === null && !gpu.name && !gpu.memory)
  ) {
    const tokens = [
      gpu.vendor ?? undefined,
      gpu.name?.join(','),
      gpu.memory ? formatRange(gpu.memory, 'GB') : undefined,
      formatRange(gpu.count),
    ];
    parts.push(`gpu=${tokens.filter((token) => token !== undefined).join(':')}`);
  }
  return parts.join(' ');
}
