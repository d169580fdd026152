import { catalogOffers } from '@dstack/backend-base/catalog-table';
import type { Catalog } from '@dstack/catalog';
import type { Offer, Wire } from '@dstack/core';
import { type RegionFacts, UNTOLD, whyNoQuota } from './quotas.js';
import { isOffered } from './sizes.js';

export interface AzureOffersRequest {
  readonly catalog: Catalog;
  readonly requirements: Wire.Requirements;
  /** Those of the account. */
  readonly regions: ReadonlyMap<string, RegionFacts>;
}

const DISK_RANGE_GB = { min: 30, max: 4_095 };

export function azureOffers({ catalog, requirements, regions }: AzureOffersRequest): Offer[] {
  // Capacity reservations are not used.
  if (requirements.reservation) return [];
  return catalogOffers({
    backend: 'azure',
    catalog,
    requirements,
    isSold: ({ name, flags }) => flags.length === 0 && isOffered(name),
    // Machines are of a region and not of a zone: Azure finds room anywhere in it.
    placeOf: (location) => (regions.has(location) ? { region: location, zones: null } : null),
    diskRangeGb: DISK_RANGE_GB,
    availabilityOf: ({ type, isSpot }, region) => {
      const wanted = { size: type.name, cpus: type.cpus ?? 0, isSpot };
      const reason = whyNoQuota(wanted, regions.get(region) ?? UNTOLD);
      return reason === null ? { availability: 'unknown' } : { availability: 'no_quota', availability_reason: reason };
    },
  });
}
