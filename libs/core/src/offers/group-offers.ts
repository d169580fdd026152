import type * as Wire from '../wire/generated/api.js';
import { toWireBackend } from '../wire/internal-values.js';
import { knownAccelerator } from './known-accelerators.js';
import { isUsable, type Offer } from './offer.js';

export type GpuGroupBy = 'backend' | 'region' | 'count';

/** The message for a `group_by` that has no meaning, null when it has. */
export function groupByProblem(groupBy: readonly string[]): string | null {
  const unknown = groupBy.filter((field) => !['gpu', 'backend', 'region', 'count'].includes(field));
  if (unknown.length > 0) return `cannot group by ${unknown.join(', ')}; use gpu, backend, region, count`;
  if (groupBy.includes('region') && !groupBy.includes('backend')) return 'grouping by region needs backend too';
  return null;
}

/** Offers by accelerator, with prices per GPU. Offers without GPU drop out. */
export function groupOffersByGpu(offers: readonly Offer[], groupBy: readonly GpuGroupBy[] = []): Wire.GpuGroup[] {
  const groups = new Map<string, Offer[]>();
  for (const offer of offers) {
    const key = groupKey(offer, groupBy);
    if (key !== null) groups.set(key, [...(groups.get(key) ?? []), offer]);
  }
  return [...groups.values()].map((members) => toGroup(members, groupBy)).sort(compareGroups);
}

function groupKey(offer: Offer, groupBy: readonly GpuGroupBy[]): string | null {
  const gpu = offer.instance.resources.gpus[0];
  if (gpu === undefined) return null;
  return JSON.stringify([
    gpu.name,
    gpu.memory_mib,
    vendorOf(gpu),
    groupBy.includes('backend') ? offer.backend : null,
    groupBy.includes('region') ? offer.region : null,
    groupBy.includes('count') ? offer.instance.resources.gpus.length : null,
  ]);
}

function toGroup(members: readonly Offer[], groupBy: readonly GpuGroupBy[]): Wire.GpuGroup {
  const [first] = members;
  const gpu = first?.instance.resources.gpus[0];
  if (first === undefined || gpu === undefined) throw new RangeError('a GPU group has at least one offer with a GPU');
  const counts = members.map((offer) => offer.instance.resources.gpus.length);
  const prices = members.map((offer) => offer.price / offer.instance.resources.gpus.length);
  const regions = [...new Set(members.map((offer) => offer.region))].sort();
  const place: Partial<Wire.GpuGroup> = !groupBy.includes('backend')
    ? { backends: [...new Set(members.map((offer) => toWireBackend(offer.backend)))].sort() }
    : groupBy.includes('region')
      ? { backend: toWireBackend(first.backend), region: first.region }
      : { backend: toWireBackend(first.backend), regions };
  return {
    name: gpu.name,
    memory_mib: gpu.memory_mib,
    vendor: vendorOf(gpu),
    availability: [...new Set(members.map((offer) => offer.availability))].sort(),
    spot: [...new Set(members.map((offer) => (offer.instance.resources.spot ? 'spot' : 'on-demand')))].sort(),
    count: { min: Math.min(...counts), max: Math.max(...counts) },
    price: { min: Math.min(...prices), max: Math.max(...prices) },
    ...place,
  };
}

function vendorOf(gpu: Wire.Gpu): Wire.AcceleratorVendor {
  return gpu.vendor ?? knownAccelerator(gpu.name)?.vendor ?? 'nvidia';
}

function compareGroups(a: Wire.GpuGroup, b: Wire.GpuGroup): number {
  const usable = (group: Wire.GpuGroup) =>
    group.availability.some((availability) => isUsable({ availability })) ? 0 : 1;
  return (
    usable(a) - usable(b) ||
    (a.price.min ?? 0) - (b.price.min ?? 0) ||
    (a.price.max ?? 0) - (b.price.max ?? 0) ||
    (a.backend ?? '').localeCompare(b.backend ?? '') ||
    (a.region ?? '').localeCompare(b.region ?? '') ||
    (a.count.min ?? 0) - (b.count.min ?? 0) ||
    a.name.localeCompare(b.name) ||
    a.memory_mib - b.memory_mib
  );
}
