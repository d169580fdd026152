import type * as Wire from '../wire/generated/api.js';
import { toWireBackend } from '../wire/internal-values.js';
import type { OfferPlace } from './judge-place.js';
import type { OfferType } from './judge-type.js';
import { GpuTallies } from './gpu-tallies.js';
import { knownAccelerator } from './known-accelerators.js';
import { mergeGpuGroups } from './merge-gpu-groups.js';
import { isUsable } from './offer.js';
import { oncePerTable } from './once-per-table.js';
import type { FittingOffers } from './query-offers.js';

export type GpuGroupBy = 'backend' | 'region' | 'count';

/** The message for a `group_by` that has no meaning, null when it has. */
export function groupByProblem(groupBy: readonly string[]): string | null {
  const unknown = groupBy.filter((field) => !['gpu', 'backend', 'region', 'count'].includes(field));
  if (unknown.length > 0) return `cannot group by ${unknown.join(', ')}; use gpu, backend, region, count`;
  if (groupBy.includes('region') && !groupBy.includes('backend')) return 'grouping by region needs backend too';
  return null;
}

/** Offers of several tables by accelerator, with prices per GPU. Offers without GPU drop out. */
export function groupFittingByGpu(
  found: readonly Pick<FittingOffers, 'table' | 'rows'>[],
  groupBy: readonly GpuGroupBy[] = [],
): Wire.GpuGroup[] {
  const [first = [], ...others] = found
    .map((fitting) => groupsOf(fitting, groupBy))
    .filter((groups) => groups.length > 0);
  const groups = others.length === 0 ? first : mergeGpuGroups([first, ...others].flat(), groupBy.includes('count'));
  return inOrder(groups);
}

/** The same of one table. */
export function groupRowsByGpu(
  fitting: Pick<FittingOffers, 'table' | 'rows'>,
  groupBy: readonly GpuGroupBy[] = [],
): Wire.GpuGroup[] {
  return inOrder(groupsOf(fitting, groupBy));
}

/** In no order. */
function groupsOf(
  { table, rows }: Pick<FittingOffers, 'table' | 'rows'>,
  groupBy: readonly GpuGroupBy[],
): Wire.GpuGroup[] {
  const types = (groupBy.includes('count') ? gpusByCount : gpus)(table);
  const { gpuCounts, isSpot } = typeColumns(table);
  const places = kindsOf(table.places, (place) => placeKind(place, groupBy));
  const tallies = new GpuTallies(types.count * places.count);
  const seenIn = new Uint8Array(types.count * table.places.length);
  for (const row of rows) {
    const type = table.typeOf[row] ?? 0;
    const kind = types.kindOf[type] ?? NO_KIND;
    if (kind === NO_KIND) continue;
    const place = table.placeOf[row] ?? 0;
    seenIn[kind * table.places.length + place] = 1;
    tallies.add(
      kind * places.count + (places.kindOf[place] ?? 0),
      gpuCounts[type] ?? 1,
      isSpot[type] === 1,
      table.availabilityOf[row] ?? 0,
      table.price[row] ?? 0,
    );
  }
  const byRegion = groupBy.includes('region');
  return tallies.used().map((group): Wire.GpuGroup => {
    const kind = Math.floor(group / places.count);
    const members = places.members[group % places.count] ?? [];
    const { name, memory_mib, vendor } = gpuOf(table.types[types.members[kind]?.[0] ?? 0]);
    const { availability, spot, count, price } = tallies.of(group);
    const place = table.places[members[0] ?? 0];
    // All places of the group are one region of one backend; thousands of groups are made of nothing but their fields.
    if (byRegion && place !== undefined) {
      const backend = toWireBackend(place.backend);
      return { name, memory_mib, vendor, availability, spot, count, price, backend, region: place.region };
    }
    const seen = members.filter((each) => seenIn[kind * table.places.length + each] === 1);
    return {
      name, memory_mib, vendor, availability, spot, count, price,
      ...placeFields(seen.flatMap((each) => table.places[each] ?? []), groupBy),
    }; // prettier-ignore
  });
}

const NO_KIND = -1;

interface Kinds {
  readonly count: number;
  /** Of each value. */
  readonly kindOf: Int32Array;
  /** Of each kind: indexes of its values. */
  readonly members: readonly (readonly number[])[];
}

/** Values with the same key are of one kind; those without a key of none. */
function kindsOf<T>(values: readonly T[], keyOf: (value: T) => string | null): Kinds {
  const byKey = new Map<string, number>();
  const members: number[][] = [];
  const kindOf = new Int32Array(values.length).fill(NO_KIND);
  for (const [index, value] of values.entries()) {
    const key = keyOf(value);
    if (key === null) continue;
    const kind = byKey.get(key) ?? members.push([]) - 1;
    byKey.set(key, kind);
    members[kind]?.push(index);
    kindOf[index] = kind;
  }
  return { count: members.length, kindOf, members };
}

const gpus = oncePerTable(({ types }) => kindsOf(types, gpuKind));

const gpusByCount = oncePerTable(({ types }) =>
  kindsOf(types, (type) => {
    const kind = gpuKind(type);
    return kind === null ? null : `${kind}\n${type.instance.resources.gpus.length}`;
  }),
);

const typeColumns = oncePerTable(({ types }) => ({
  gpuCounts: Uint16Array.from(types, ({ instance }) => instance.resources.gpus.length),
  isSpot: Uint8Array.from(types, ({ instance }) => (instance.resources.spot ? 1 : 0)),
}));

function gpuKind({ instance }: OfferType): string | null {
  const [gpu] = instance.resources.gpus;
  return gpu === undefined ? null : `${gpu.name}\n${gpu.memory_mib}\n${vendorOf(gpu)}`;
}

function placeKind({ backend, region }: OfferPlace, groupBy: readonly GpuGroupBy[]): string {
  return `${groupBy.includes('backend') ? backend : ''}\n${groupBy.includes('region') ? region : ''}`;
}

function gpuOf(type: OfferType | undefined): Pick<Wire.GpuGroup, 'name' | 'memory_mib' | 'vendor'> {
  const gpu = type?.instance.resources.gpus[0];
  if (gpu === undefined) throw new RangeError('a GPU group has at least one type with a GPU');
  return { name: gpu.name, memory_mib: gpu.memory_mib, vendor: vendorOf(gpu) };
}

function placeFields(places: readonly OfferPlace[], groupBy: readonly GpuGroupBy[]): Partial<Wire.GpuGroup> {
  const backends = [...new Set(places.map(({ backend }) => toWireBackend(backend)))].sort();
  if (!groupBy.includes('backend')) return { backends };
  const [backend] = backends;
  const regions = [...new Set(places.map(({ region }) => region))].sort();
  return { ...(backend === undefined ? {} : { backend }), regions };
}

function vendorOf(gpu: Wire.Gpu): Wire.AcceleratorVendor {
  return gpu.vendor ?? knownAccelerator(gpu.name)?.vendor ?? 'nvidia';
}

/** Those that can be had first, then by price. What comes before names is looked up once for each group, not for each comparison. */
function inOrder(groups: readonly Wire.GpuGroup[]): Wire.GpuGroup[] {
  return groups
    .map((group) => ({
      group,
      usable: isAnyUsable(group) ? 0 : 1,
      min: group.price.min ?? 0,
      max: group.price.max ?? 0,
    }))
    .sort((a, b) => a.usable - b.usable || a.min - b.min || a.max - b.max || compareNames(a.group, b.group))
    .map(({ group }) => group);
}

function isAnyUsable(group: Wire.GpuGroup): boolean {
  return group.availability.some((availability) => isUsable({ availability }));
}

function compareNames(a: Wire.GpuGroup, b: Wire.GpuGroup): number {
  return (
    compareText(a.backend ?? '', b.backend ?? '') ||
    compareText(a.region ?? '', b.region ?? '') ||
    (a.count.min ?? 0) - (b.count.min ?? 0) ||
    compareText(a.name, b.name) ||
    a.memory_mib - b.memory_mib
  );
}

// Names of clouds: a collator takes most of the time of a list by regions.
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
