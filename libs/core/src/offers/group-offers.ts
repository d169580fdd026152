import type * as Wire from '../wire/generated/api.js';
import { toWireBackend } from '../wire/internal-values.js';
import type { OfferPlace } from './judge-place.js';
import type { OfferType } from './judge-type.js';
import { knownAccelerator } from './known-accelerators.js';
import { isUsable, type Offer } from './offer.js';
import { AVAILABILITIES } from './offer-table.js';
import type { FittingOffers } from './query-offers.js';

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
  const groups = new Groups(groupBy);
  for (const offer of offers) {
    const group = groups.of(offer, offer);
    group?.add(offer, offer, offer.availability);
    group?.addPrice(offer.price / offer.instance.resources.gpus.length);
  }
  return groups.sorted();
}

/** The same of the rows of a table that fit: what a type in a place adds to its group is added once. */
export function groupRowsByGpu(
  { table, rows }: Pick<FittingOffers, 'table' | 'rows'>,
  groupBy: readonly GpuGroupBy[] = [],
): Wire.GpuGroup[] {
  const groups = new Groups(groupBy);
  const { types, places, typeOf, placeOf, availabilityOf, price } = table;
  const known = new Map<number, Group | null>();
  for (const row of rows) {
    const typeIndex = typeOf[row] ?? 0;
    const key = (typeIndex * places.length + (placeOf[row] ?? 0)) * AVAILABILITIES.length + (availabilityOf[row] ?? 0);
    let group = known.get(key);
    const type = types[typeIndex];
    if (group === undefined) {
      const place = places[placeOf[row] ?? 0];
      group = type === undefined || place === undefined ? null : groups.of(type, place);
      if (type !== undefined && place !== undefined)
        group?.add(type, place, AVAILABILITIES[availabilityOf[row] ?? 0] ?? 'unknown');
      known.set(key, group);
    }
    group?.addPrice((price[row] ?? 0) / (type?.instance.resources.gpus.length ?? 1));
  }
  return groups.sorted();
}

type GpuPlace = Pick<OfferPlace, 'backend' | 'region'>;
type GpuType = Pick<OfferType, 'instance'>;

class Groups {
  private readonly groups = new Map<string, Group>();

  constructor(private readonly groupBy: readonly GpuGroupBy[]) {}

  /** Null without GPU. */
  of({ instance: { resources } }: GpuType, { backend, region }: GpuPlace): Group | null {
    const gpu = resources.gpus[0];
    if (gpu === undefined) return null;
    const key = [
      gpu.name,
      gpu.memory_mib,
      vendorOf(gpu),
      this.groupBy.includes('backend') ? backend : '',
      this.groupBy.includes('region') ? region : '',
      this.groupBy.includes('count') ? resources.gpus.length : '',
    ].join('\n');
    const known = this.groups.get(key);
    if (known !== undefined) return known;
    const group = new Group(gpu, { backend, region }, this.groupBy);
    this.groups.set(key, group);
    return group;
  }

  sorted(): Wire.GpuGroup[] {
    return [...this.groups.values()].map((group) => group.toWire()).sort(compareGroups);
  }
}

class Group {
  private readonly backends = new Set<Wire.BackendType>();
  private readonly regions = new Set<string>();
  private readonly spot = new Set<'spot' | 'on-demand'>();
  private readonly availability = new Set<Wire.InstanceAvailability>();
  private readonly counts = new Span();
  private readonly prices = new Span();

  constructor(
    private readonly gpu: Wire.Gpu,
    private readonly place: GpuPlace,
    private readonly groupBy: readonly GpuGroupBy[],
  ) {}

  add(
    { instance: { resources } }: GpuType,
    { backend, region }: GpuPlace,
    availability: Wire.InstanceAvailability,
  ): void {
    this.backends.add(toWireBackend(backend));
    this.regions.add(region);
    this.spot.add(resources.spot ? 'spot' : 'on-demand');
    this.availability.add(availability);
    this.counts.add(resources.gpus.length);
  }

  addPrice(perGpu: number): void {
    this.prices.add(perGpu);
  }

  toWire(): Wire.GpuGroup {
    const { gpu, groupBy } = this;
    const backend = toWireBackend(this.place.backend);
    const place: Partial<Wire.GpuGroup> = !groupBy.includes('backend')
      ? { backends: [...this.backends].sort() }
      : groupBy.includes('region')
        ? { backend, region: this.place.region }
        : { backend, regions: [...this.regions].sort() };
    return {
      name: gpu.name,
      memory_mib: gpu.memory_mib,
      vendor: vendorOf(gpu),
      availability: [...this.availability].sort(),
      spot: [...this.spot].sort(),
      count: this.counts.toRange(),
      price: this.prices.toRange(),
      ...place,
    };
  }
}

class Span {
  private min = Infinity;
  private max = -Infinity;

  add(value: number): void {
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  toRange(): { readonly min: number; readonly max: number } {
    return { min: this.min, max: this.max };
  }
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
