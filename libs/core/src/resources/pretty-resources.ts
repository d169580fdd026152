import type * as Wire from '../wire/generated/api.js';
import { prettyNumber, prettyRange } from './range.js';

type GpuSpec = NonNullable<Wire.ResourcesSpec['gpu']>;

/** `cpu=4.. mem=16GB.. disk=100GB.. gpu=A100:80GB:2`: what a run asks for. */
export function prettyResourcesSpec(spec: Wire.ResourcesSpec): string {
  const parts: string[] = [];
  if (spec.cpu) parts.push(`cpu=${[spec.cpu.arch, prettyRange(spec.cpu.count ?? {})].filter(isShown).join(':')}`);
  if (spec.memory) parts.push(`mem=${prettyRange(spec.memory, 'GB')}`);
  if (spec.disk) parts.push(`disk=${prettyRange(spec.disk.size, 'GB')}`);
  if (spec.gpu) parts.push(`gpu=${prettyGpuSpec(spec.gpu)}`);
  return parts.join(' ');
}

export function prettyGpuSpec(gpu: GpuSpec): string {
  const names = gpu.name === null || gpu.name === undefined ? [] : gpu.name;
  const what = names.length > 0 ? names.join(',') : gpu.vendor;
  const total = gpu.total_memory ? prettyRange(gpu.total_memory, 'GB') : null;
  return [
    what,
    gpu.memory ? prettyRange(gpu.memory, 'GB') : null,
    prettyRange(gpu.count ?? {}),
    total,
    gpu.compute_capability?.join('.'),
  ]
    .filter(isShown)
    .join(':');
}

/** `cpu=8 mem=32GB disk=100GB gpu=A10G:24GB:1 (spot)`: what an instance has. Parts that are zero are left out. */
export function prettyInstanceResources(
  resources: Wire.Resources,
  { withSpot = true }: { readonly withSpot?: boolean } = {},
): string {
  const parts: string[] = [];
  const gb = (mib: number): string => `${prettyNumber(Math.round((mib / 1024) * 10) / 10)}GB`;
  if (resources.cpus > 0) parts.push(`cpu=${[resources.cpu_arch, resources.cpus].filter(isShown).join(':')}`);
  if (resources.memory_mib > 0) parts.push(`mem=${gb(resources.memory_mib)}`);
  const disk = resources.disk?.size_mib ?? 0;
  if (disk > 0) parts.push(`disk=${gb(disk)}`);
  const gpu = prettyInstanceGpus(resources);
  if (gpu !== '-') parts.push(`gpu=${gpu}`);
  if (withSpot && resources.spot) parts.push('(spot)');
  return parts.join(' ');
}

/** `A10G:24GB:1`, or `-` without a GPU. */
export function prettyInstanceGpus({ gpus }: Pick<Wire.Resources, 'gpus'>): string {
  const [first] = gpus;
  if (first === undefined) return '-';
  const memory = first.memory_mib > 0 ? `${prettyNumber(Math.round((first.memory_mib / 1024) * 10) / 10)}GB` : null;
  return [first.name, memory, gpus.length].filter(isShown).join(':');
}

function isShown(part: string | number | null | undefined): part is string | number {
  return part !== null && part !== undefined && part !== '';
}
