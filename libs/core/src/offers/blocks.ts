import type * as Wire from '../wire/generated/api.js';
import { isTpuName } from './known-accelerators.js';

/** How many equal parts an instance is divided into, or why it cannot be. */
export type BlockDivision =
  { readonly ok: true; readonly blocks: number } | { readonly ok: false; readonly text: string };

export function divideIntoBlocks(resources: Wire.Resources, blocks: number | 'auto'): BlockDivision {
  const gpus = shareableGpus(resources);
  const wanted = blocks === 'auto' ? autoBlocks(resources.cpus, gpus) : blocks;
  if (resources.cpus % wanted !== 0)
    return { ok: false, text: `${resources.cpus} cpus cannot be divided into ${wanted} blocks` };
  if (gpus % wanted !== 0) return { ok: false, text: `${gpus} gpus cannot be divided into ${wanted} blocks` };
  return { ok: true, blocks: wanted };
}

export interface DivisibleOffer<O> {
  readonly offer: O;
  readonly blocks: number;
}

/** The offers whose machines can be shared as a fleet wants them, and why the first of the others cannot. */
export function divisibleOffers<O extends { readonly instance: Pick<Wire.InstanceType, 'name' | 'resources'> }>(
  offers: readonly O[],
  blocks: number | 'auto',
): { readonly divisible: readonly DivisibleOffer<O>[]; readonly because: string | null } {
  const divided = offers.map((offer) => ({ offer, division: divideIntoBlocks(offer.instance.resources, blocks) }));
  const divisible = divided.flatMap(({ offer, division }) => (division.ok ? [{ offer, blocks: division.blocks }] : []));
  const because = divided.flatMap(({ offer, division }) =>
    division.ok ? [] : [`${offer.instance.name}: ${division.text}`],
  )[0];
  return { divisible, because: because ?? null };
}

function autoBlocks(cpus: number, gpus: number): number {
  return Math.max(1, gpus > 0 ? Math.min(cpus, gpus) : cpus);
}

// A TPU slice is one device that cannot be shared.
function shareableGpus(resources: Wire.Resources): number {
  return resources.gpus.some((gpu) => isTpuName(gpu.name)) ? 1 : resources.gpus.length;
}

/** `k` of `n` blocks: CPUs, memory and GPUs are divided, disk is not; the architecture stays what it is. */
export function shareOfResources(resources: Wire.Resources, k: number, n: number): Wire.Resources {
  if (k === n) return resources;
  return {
    ...resources,
    cpus: Math.floor(resources.cpus / n) * k,
    memory_mib: Math.floor(resources.memory_mib / n) * k,
    gpus: resources.gpus.slice(0, Math.floor(resources.gpus.length / n) * k),
  };
}

/** `name (k/N)` for a part of a shared instance, the bare name for a whole one. */
export function shareName(name: string, blocks: number, totalBlocks: number): string {
  return totalBlocks > 1 ? `${name} (${blocks}/${totalBlocks})` : name;
}
