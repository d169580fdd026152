import type { Offer, Wire } from '@dstack/core';
import { GPU_RESOURCES, type GpuVendor, gpusOfNode } from './node-gpus.js';
import { parseQuantity } from './quantity.js';
import type { Quantities } from './requested-resources.js';
import type { KubeNode } from './schema.js';

const MIB = 2 ** 20;
const HARMLESS_TAINTS: ReadonlySet<string> = new Set(Object.values(GPU_RESOURCES));

/** What a pod can have of a node. */
export interface NodeSpace {
  readonly node: string;
  readonly cpus: number;
  readonly memoryMib: number;
  readonly diskMib: number;
  readonly arch: 'x86' | 'arm';
  readonly gpus: {
    readonly vendor: GpuVendor;
    readonly name: string;
    readonly memoryMib: number;
    readonly count: number;
  } | null;
}

export type JudgedNode =
  | { readonly ok: true; readonly space: NodeSpace; readonly warning: string | null }
  | { readonly ok: false; readonly why: string };

/** @param requested of it, where only what is free counts */
export function judgeNode(node: KubeNode, requested: Quantities = {}): JudgedNode {
  const why = whyUnusable(node);
  if (why !== null) return { ok: false, why };
  const arch = archOf(node);
  if (arch === null)
    return { ok: false, why: `processors of ${node.status.nodeInfo?.architecture ?? 'an unknown kind'}` };
  const { allocatable } = node.status;
  const free = (resource: string): number =>
    Math.max(0, parseQuantity(allocatable[resource] ?? '0') - (requested[resource] ?? 0));
  const gpus = gpusOfNode(node);
  const isKnown = gpus !== null && typeof gpus !== 'string';
  return {
    ok: true,
    warning: typeof gpus === 'string' ? gpus : null,
    space: {
      node: node.metadata.name,
      cpus: Math.floor(free('cpu') + 1e-9),
      memoryMib: Math.floor(free('memory') / MIB),
      diskMib: Math.floor(free('ephemeral-storage') / MIB),
      arch,
      gpus: isKnown ? { ...gpus, count: Math.floor(free(GPU_RESOURCES[gpus.vendor])) } : null,
    },
  };
}

function whyUnusable({ spec, status }: KubeNode): string | null {
  if (spec.unschedulable) return 'cordoned';
  if (status.conditions.some(({ type, status: is }) => type === 'Ready' && is !== 'True')) return 'not ready';
  const taint = spec.taints?.find(({ key, effect }) => effect !== 'PreferNoSchedule' && !HARMLESS_TAINTS.has(key));
  return taint === undefined ? null : `tainted with ${taint.key}`;
}

function archOf({ status }: KubeNode): 'x86' | 'arm' | null {
  const arch = status.nodeInfo?.architecture;
  if (arch === 'amd64') return 'x86';
  return arch === 'arm64' ? 'arm' : null;
}

/** Without a minimum a job gets what any pod can have, not the whole node. */
const LEAST = { cpus: 1, memoryMib: 512, diskMib: 1024 };

/**
 * The offer of a node. A pod takes what is asked for and no more: the resources are those of the pod.
 * @param isFull the whole node, for people who look what there is
 */
export function toOffer(space: NodeSpace, region: string, spec: Wire.ResourcesSpec, isFull: boolean): Offer {
  const cut = isFull ? space : cutToRequest(space, spec);
  const { gpus } = cut;
  return {
    backend: 'kubernetes',
    instance: {
      name: space.node,
      resources: {
        cpus: cut.cpus,
        memory_mib: cut.memoryMib,
        disk: { size_mib: cut.diskMib },
        gpus: Array.from({ length: gpus?.count ?? 0 }, () => ({
          vendor: gpus?.vendor ?? 'nvidia',
          name: gpus?.name ?? '',
          memory_mib: gpus?.memoryMib ?? 0,
        })),
        spot: false,
        cpu_arch: space.arch,
      },
    },
    region,
    price: 0,
    availability: 'available',
    availability_zones: null,
    instance_runtime: 'runner',
    blocks: 1,
    total_blocks: 1,
  };
}

function cutToRequest(space: NodeSpace, spec: Wire.ResourcesSpec): NodeSpace {
  const gpuCount = spec.gpu?.count?.min ?? (spec.gpu?.count?.max === 0 ? 0 : undefined);
  return {
    ...space,
    cpus: share(space.cpus, spec.cpu?.count, LEAST.cpus),
    memoryMib: share(space.memoryMib, inMib(spec.memory), LEAST.memoryMib),
    diskMib: share(space.diskMib, inMib(spec.disk?.size), LEAST.diskMib),
    gpus: space.gpus && { ...space.gpus, count: Math.min(space.gpus.count, gpuCount ?? defaultGpus(spec)) },
  };
}

/** GPUs that are described and not counted are one. */
function defaultGpus({ gpu }: Wire.ResourcesSpec): number {
  return gpu?.name || gpu?.vendor || gpu?.memory || gpu?.total_memory ? 1 : 0;
}

interface Range {
  readonly min?: number | null;
  readonly max?: number | null;
}

function share(available: number, asked: Range | null | undefined, least: number): number {
  const wanted = asked?.min ? asked.min : Math.min(least, asked?.max ?? least);
  return Math.min(available, wanted);
}

/** From GB as the configuration counts them. */
function inMib(range: Range | null | undefined): Range | null {
  if (!range) return null;
  const mib = (gb: number | null | undefined): number | null => (gb == null ? null : Math.ceil(gb * 1024));
  return { min: mib(range.min), max: mib(range.max) };
}
