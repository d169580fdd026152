import type { Catalog, CatalogType } from '@dstack/catalog';
import { typeResources } from '@dstack/catalog';
import { knownAccelerator, normaliseGpuName, type Offer } from '@dstack/core';
import type { LambdaType, LambdaTypes } from './schema.js';

/** What Lambda sells now: each type in each region, at one price; there is capacity where it says so. */
export function liveOffers(types: LambdaTypes, regions: readonly string[]): Offer[] {
  return Object.values(types).flatMap(({ instance_type: type, regions_with_capacity_available: places }) => {
    const known = catalogType(type);
    if (known === null) return [];
    const withCapacity = new Set(places.map(({ name }) => name));
    const everywhere = [...new Set([...regions, ...withCapacity])];
    return everywhere.flatMap((region) =>
      toOffer(known, {
        region,
        price: type.price_cents_per_hour / 100,
        availability: withCapacity.has(region) ? 'available' : 'not_available',
      }),
    );
  });
}

/** What Lambda sold when the catalog was made; nobody knows whether there is capacity. */
export function bundledOffers(catalog: Catalog): Offer[] {
  return [...catalog.rows({ type: () => true })].flatMap(({ type, location, price, source }) =>
    toOffer(type, {
      region: location,
      price,
      availability: 'unknown',
      priced: { date: source.date, isDerived: !source.isExact },
    }),
  );
}

function toOffer(type: CatalogType, at: Pick<Offer, 'region' | 'price' | 'availability' | 'priced'>): Offer[] {
  const resources = typeResources(type, false);
  if (resources === null) return [];
  return [
    {
      backend: 'lambda',
      instance: { name: type.name, resources },
      ...at,
      availability_zones: null,
      instance_runtime: 'shim',
      blocks: 1,
      total_blocks: 1,
    },
  ];
}

/** Null for GPUs that nobody can ask for by name. */
export function catalogType({ name, gpu_description: description, specs }: LambdaType): CatalogType | null {
  const base = {
    name,
    cpus: specs.vcpus,
    memoryMib: specs.memory_gib * 1024,
    diskGb: specs.storage_gib,
    flags: [],
  };
  if (specs.gpus === 0) return { ...base, gpu: null, cpuArch: 'x86' };
  const gpu = parseGpu(description);
  if (gpu === null) return null;
  const isGrace = /^G[BH]\d/.test(gpu.name);
  return { ...base, gpu: { ...gpu, count: specs.gpus }, cpuArch: isGrace ? 'arm' : 'x86' };
}

/** `H100 (80 GB SXM5)` */
function parseGpu(description: string): { vendor: 'nvidia'; name: string; memoryMib: number } | null {
  const [, product, gb] = /^(.+?)\s*\((\d+)\s*GB\b/.exec(description) ?? [];
  if (product === undefined) return null;
  const known = knownAccelerator(normaliseGpuName(product));
  return known?.vendor === 'nvidia' ? { vendor: 'nvidia', name: known.name, memoryMib: Number(gb) * 1024 } : null;
}
