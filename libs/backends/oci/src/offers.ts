import { catalogOffers } from '@dstack/backend-base/catalog-table';
import type { Catalog } from '@dstack/catalog';
import type { Offer, Wire } from '@dstack/core';
import { judge, type RegionFacts } from './region-facts.js';
import { isOffered } from './shapes.js';

export interface OciOffersRequest {
  readonly catalog: Catalog;
  readonly requirements: Wire.Requirements;
  /** Those of the account. */
  readonly regions: ReadonlyMap<string, RegionFacts>;
}

const DISK_RANGE_GB = { min: 50, max: 32_768 };

export function ociOffers({ catalog, requirements, regions }: OciOffersRequest): Offer[] {
  // Capacity reservations are not used.
  if (requirements.reservation) return [];
  const offers = catalogOffers({
    backend: 'oci',
    catalog,
    requirements,
    isSold: isOffered,
    placeOf: (location) => (regions.has(location) ? { region: location, zones: null } : null),
    diskRangeGb: DISK_RANGE_GB,
    availabilityOf: () => ({ availability: 'unknown' }),
  });
  return offers.map((offer) => {
    const { name, resources } = offer.instance;
    const wanted = { shape: name, cpus: resources.cpus, gpus: resources.gpus.length };
    const { availability, reason, zones } = judge(wanted, regions.get(offer.region) ?? { domains: null, limits: null });
    return {
      ...offer,
      availability,
      ...(reason === null ? {} : { availability_reason: reason }),
      availability_zones: zones === null ? null : [...zones],
    };
  });
}
