import { catalogOffers } from '@dstack/backend-base/catalog-table';
import { type Catalog, type CatalogRow, typeResources } from '@dstack/catalog';
import type { Offer, Wire } from '@dstack/core';
import type { Places } from './places.js';
import type { RunpodCpu, RunpodGpu } from './schema.js';

/** Stock and prices of one number of GPUs, by type. */
export type Stock = ReadonlyMap<string, RunpodGpu>;

export interface GpuOffersRequest {
  readonly catalog: Catalog;
  readonly requirements: Wire.Requirements;
  readonly places: Places;
}

/** Any size; RunPod asks for one. */
export const DISK_GB = { min: 1, max: null };

/** Of data centers. The catalog knows the processors and memory that come with a GPU, which RunPod's own list does not tell. */
export function secureOffers({ catalog, requirements, places }: GpuOffersRequest): Offer[] {
  const { dataCenters } = places;
  return catalogOffers({
    backend: 'runpod',
    runtime: 'runner',
    catalog,
    requirements,
    isSold: ({ flags }) => flags.length === 0,
    placeOf: (location) =>
      dataCenters === null || dataCenters.includes(location) ? { region: location, zones: null } : null,
    diskRangeGb: DISK_GB,
    availabilityOf: () => ({ availability: 'unknown' }),
  });
}

/** Of hosts of others in one country, as many as the catalog knows the types of. */
export function communityOffers({ catalog }: GpuOffersRequest, country: string): Offer[] {
  const types = new Map<string, CatalogRow>();
  for (const row of catalog.rows({ type: ({ flags }) => flags.length === 0 })) {
    types.set(`${row.type.name} ${row.type.gpu?.count}`, row);
  }
  return [...types.values()].flatMap(({ type, price }) => {
    const resources = typeResources(type, false);
    if (resources === null) return [];
    const place = { region: country, price, availability: 'unknown' as const, availability_zones: null };
    return [{ ...BASE, instance: { name: type.name, resources }, disk_range_gb: DISK_GB, ...place }];
  });
}

const BASE = { backend: 'runpod', instance_runtime: 'runner', blocks: 1, total_blocks: 1 } as const;

/** The offer as RunPod sells it now; of a type that its list has no more, there is none. */
export function withStock(offer: Offer, stock: Stock): Offer {
  const gpu = stock.get(offer.instance.name);
  const isSecure = offer.region.includes('-');
  if (gpu === undefined) return { ...offer, availability: 'not_available' };
  const price = roundedPrice(
    (isSecure ? gpu.price.secure : gpu.price.community) * offer.instance.resources.gpus.length,
  );
  const level = isSecure ? gpu.dataCenters?.find(({ id }) => id === offer.region)?.availability : gpu.availability;
  // Nothing is sold for nothing: a price of 0 says that it is not sold there.
  if (price <= 0) return { ...offer, availability: 'not_available' };
  const { priced: _ofTheCatalog, ...live } = offer;
  return { ...live, price, availability: isInStock(level) ? 'available' : 'not_available' };
}

/** What is in stock, until somebody pays more for it; of a type that nobody may bid for, nothing. */
export function asSpot(offer: Offer, bidPerGpu: number): Offer[] {
  const { resources } = offer.instance;
  if (offer.availability !== 'available' || bidPerGpu <= 0 || resources.gpus.length === 0) return [];
  const instance = { ...offer.instance, resources: { ...resources, spot: true } };
  return [{ ...offer, instance, price: roundedPrice(bidPerGpu * resources.gpus.length) }];
}

/** Processors alone: sizes double from the smallest to the largest. */
export function cpuOffers(flavors: readonly RunpodCpu[], { dataCenters }: Places): Offer[] {
  return flavors.flatMap((flavor) =>
    (flavor.dataCenters ?? [])
      .filter(({ id }) => dataCenters === null || dataCenters.includes(id))
      .flatMap(({ id, availability }) =>
        sizes(flavor).map((cpus) => cpuOffer(flavor, { cpus, region: id, availability })),
      ),
  );
}

function cpuOffer(
  { id, ramGbPerVcpu, price }: RunpodCpu,
  { cpus, region, availability }: { readonly cpus: number; readonly region: string; readonly availability: string },
): Offer {
  const memoryGb = Math.floor(cpus * ramGbPerVcpu);
  const resources = {
    cpus,
    memory_mib: memoryGb * 1024,
    gpus: [],
    spot: false,
    cpu_arch: 'x86' as const,
    description: '',
  };
  return {
    ...BASE,
    instance: { name: `${id}-${cpus}-${memoryGb}`, resources },
    region,
    price: roundedPrice(price.securePerVcpu * cpus),
    availability: isInStock(availability) ? 'available' : 'not_available',
    availability_zones: null,
    disk_range_gb: { min: 1, max: cpus * diskGbPerCpu(id) },
  };
}

function sizes({ vcpu: { min, max } }: RunpodCpu): number[] {
  const all: number[] = [];
  for (let cpus = Math.max(1, min); cpus <= max; cpus *= 2) all.push(cpus);
  return all;
}

/** The fifth generation has half as much again. */
function diskGbPerCpu(flavor: string): number {
  return flavor.startsWith('cpu5') ? 15 : 10;
}

export function isInStock(level: string | null | undefined): boolean {
  return level === 'LOW' || level === 'MEDIUM' || level === 'HIGH';
}

export function roundedPrice(price: number): number {
  return Math.round(price * 1e5) / 1e5;
}
