import { knownAccelerator, normaliseGpuName, snapGpuMemoryGb } from '@dstack/core';
import { parseQuantity } from './quantity.js';
import type { KubeNode } from './schema.js';

export type GpuVendor = 'nvidia' | 'amd';

export const GPU_RESOURCES: Readonly<Record<GpuVendor, string>> = {
  nvidia: 'nvidia.com/gpu',
  amd: 'amd.com/gpu',
};

/** Set by NVIDIA's GPU Feature Discovery. */
export const NVIDIA_PRODUCT = 'nvidia.com/gpu.product';
const NVIDIA_MEMORY = 'nvidia.com/gpu.memory';
/** Set by AMD's node labeller, one for each model, with how many. */
export const AMD_DEVICE_PREFIX = 'beta.amd.com/gpu.device-id.';

const AMD_DEVICES: Readonly<Record<string, readonly [name: string, memoryGb: number]>> = {
  '738c': ['MI100', 32],
  '740f': ['MI210', 64],
  '740c': ['MI250', 128],
  '7408': ['MI250X', 128],
  '74a0': ['MI300A', 128],
  '74a1': ['MI300X', 192],
  '74a9': ['MI300X', 192],
  '74b5': ['MI300X', 192],
  '74bd': ['MI300X', 192],
  '74a2': ['MI308X', 128],
  '74b6': ['MI308X', 128],
  // 256 by its vendor, 288 in the original and here: users ask for what `dstack offer` shows.
  '74a5': ['MI325X', 288],
  '75a0': ['MI350X', 288],
  '75a3': ['MI355X', 288],
};

export interface NodeGpus {
  readonly vendor: GpuVendor;
  readonly name: string;
  readonly memoryMib: number;
  /** That pods can have, whoever has them now. */
  readonly count: number;
}

/** Null: none. A text: there are some, and why nobody can ask for them by name. */
export function gpusOfNode({ metadata: { labels }, status: { allocatable } }: KubeNode): NodeGpus | string | null {
  for (const vendor of ['nvidia', 'amd'] as const) {
    const count = Math.floor(parseQuantity(allocatable[GPU_RESOURCES[vendor]] ?? '0'));
    if (count === 0) continue;
    const model = vendor === 'nvidia' ? nvidiaModel(labels) : amdModel(labels);
    if (typeof model === 'string') return model;
    return { vendor, count, name: model.name, memoryMib: model.memoryGb * 1024 };
  }
  return null;
}

interface Model {
  readonly name: string;
  readonly memoryGb: number;
}

function nvidiaModel(labels: Readonly<Record<string, string>>): Model | string {
  const product = labels[NVIDIA_PRODUCT];
  if (product === undefined) return `no label ${NVIDIA_PRODUCT}: is GPU Feature Discovery installed?`;
  const known = knownAccelerator(normaliseGpuName(product.replace(/-SHARED$/, '').replaceAll('-', ' ')));
  if (known?.vendor !== 'nvidia') return `the GPU ${product} is not known`;
  const reportedMib = Number(labels[NVIDIA_MEMORY] ?? Number.NaN);
  const memoryGb = reportedMib > 0 ? snapGpuMemoryGb(known.name, reportedMib) : sizeByName(product, known.memoryGb);
  return { name: known.name, memoryGb };
}

/** `A100-SXM4-40GB` says which A100; `GH200-480GB` tells the memory of the host, which is no size of that GPU. */
function sizeByName(product: string, sizes: readonly number[]): number {
  const said = Number(/(\d+)GB/i.exec(product)?.[1] ?? Number.NaN);
  return sizes.includes(said) ? said : Math.max(...sizes);
}

function amdModel(labels: Readonly<Record<string, string>>): Model | string {
  const ids = Object.keys(labels).flatMap((label) =>
    label.startsWith(AMD_DEVICE_PREFIX) ? [label.slice(AMD_DEVICE_PREFIX.length).toLowerCase()] : [],
  );
  if (ids.length === 0) return `no label ${AMD_DEVICE_PREFIX}…: does AMD's node labeller run?`;
  const models = new Map(ids.map((id) => [AMD_DEVICES[id]?.[0], AMD_DEVICES[id]]));
  const [model] = models.values();
  if (models.size > 1) return `GPUs of several models (${ids.join(', ')})`;
  return model === undefined ? `the GPU ${ids.join(', ')} is not known` : { name: model[0], memoryGb: model[1] };
}
