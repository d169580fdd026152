import { type Catalog, type CatalogType, lambdaType, typeResources } from '@dstack/catalog';
import type { Offer } from '@dstack/core';
import type { LambdaTypes } from './schema.js';

/** What Lambda sells now: each type in each region, at one price; there is capacity where it says so. */
export function liveOffers(types: LambdaTypes, regions: readonly string[]): Offer[] {
  return Object.values(types).flatMap(({ instance_type: type, regions_with_capacity_available: places }) => {
    const known = lambdaType(type);
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
