import type { Wire } from '@dstack/core';
import { theirNames } from './gpu-names.js';

type Filter = Readonly<Record<string, unknown>>;

/** Of the search, with operators as Vast.ai writes them. */
export type AskFilters = Readonly<Record<string, Filter | number | string | readonly (readonly string[])[]>>;

const BY_SCORE = ['score', 'desc'];
const BY_PRICE = ['dph_base', 'asc'];
const MOST = 500;
/** Some sizes are a little below what they are called. */
const VRAM_TOLERANCE = 0.07;
const MIN_RELIABILITY = 0.9;
/** With less, images take longer than anybody waits. */
const MIN_DOWNLOAD_MBIT = 128;
const MIN_CUDA = 12.8;
const MIN_COMPUTE = 600;

/** What could be rented for the job. Whatever the search lets through beside it is left out when offers are matched. */
export function askFilters(
  { resources, backend_options: options }: Pick<Wire.Requirements, 'resources' | 'backend_options'>,
  { withCommunity }: { readonly withCommunity: boolean },
): AskFilters {
  const own = options?.find(({ type }) => (type ?? 'vastai') === 'vastai');
  const { gpu } = resources;
  const names = theirNames(gpu?.name ?? null);
  const order = own?.offer_order === 'price' ? [BY_PRICE, BY_SCORE] : [BY_SCORE, BY_PRICE];
  return compact({
    limit: MOST,
    type: 'ondemand',
    order,
    rentable: { eq: true },
    rented: { eq: false },
    verified: { eq: true },
    // Without one nobody gets in.
    direct_port_count: { gte: 1 },
    reliability2: { gte: own?.min_reliability ?? MIN_RELIABILITY },
    inet_down: { gt: MIN_DOWNLOAD_MBIT },
    cuda_max_good: { gte: MIN_CUDA },
    gpu_arch: { eq: 'nvidia' },
    compute_cap: { gte: computeCapability(gpu?.compute_capability) ?? MIN_COMPUTE },
    num_gpus: { gte: Math.max(1, gpu?.count?.min ?? 1), ...upTo(gpu?.count?.max) },
    gpu_name: names === null ? undefined : { in: names },
    gpu_ram: range(gpu?.memory, 1024, VRAM_TOLERANCE),
    cpu_cores: atLeast(resources.cpu?.count?.min),
    cpu_ram: atLeast(scaled(resources.memory?.min, 1000)),
    disk_space: atLeast(diskGb(resources)),
    score: atLeast(own?.min_score),
    datacenter: withCommunity ? undefined : { eq: true },
  });
}

const DEFAULT_DISK_GB = 100;
/** Vast.ai gives no less. */
export const MIN_DISK_GB = 8;

/** What the job gets: as little as it asks for. */
export function diskGb({ disk }: Wire.Requirements['resources']): number {
  return Math.max(MIN_DISK_GB, Math.ceil(disk?.size.min ?? DEFAULT_DISK_GB));
}

/** Major and minor: 8.6 is 860. */
function computeCapability(version: unknown): number | undefined {
  if (!Array.isArray(version)) return undefined;
  const [major, minor] = version as unknown[];
  return typeof major === 'number' ? major * 100 + (typeof minor === 'number' ? minor : 0) * 10 : undefined;
}

type Range = { readonly min?: number | null; readonly max?: number | null } | null | undefined;

function range(of: Range, unit: number, tolerance: number): Filter | undefined {
  const min = scaled(of?.min, unit * (1 - tolerance));
  const max = scaled(of?.max, unit * (1 + tolerance));
  const filter = { ...atLeast(min), ...upTo(max) };
  return Object.keys(filter).length === 0 ? undefined : filter;
}

function scaled(value: number | null | undefined, by: number): number | undefined {
  return value === null || value === undefined ? undefined : Math.floor(value * by);
}

function atLeast(min: number | null | undefined): { gte: number } | undefined {
  return min ? { gte: min } : undefined;
}

function upTo(max: number | null | undefined): { lte?: number } {
  return max === null || max === undefined ? {} : { lte: max };
}

function compact(filters: Record<string, AskFilters[string] | undefined>): AskFilters {
  return Object.fromEntries(
    Object.entries(filters).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
