import { catalogOffers } from '@dstack/backend-base/catalog-table';
import type { Catalog } from '@dstack/catalog';
import type { Offer, Wire } from '@dstack/core';
import type { Reserved, ReservedSize } from './reservation.js';
import { type RegionFacts, UNTOLD, whyNoQuota } from './quotas.js';
import { isOffered } from './sizes.js';

export interface AzureOffersRequest {
  readonly catalog: Catalog;
  readonly requirements: Wire.Requirements;
  /** Those of the account. */
  readonly regions: ReadonlyMap<string, RegionFacts>;
  /** What is wanted is there and nowhere else; null: nothing is reserved, or it is not of this account. */
  readonly reserved: Reserved | null;
}

const DISK_RANGE_GB = { min: 30, max: 4_095 };

export function azureOffers({ catalog, requirements, regions, reserved }: AzureOffersRequest): Offer[] {
  if (requirements.reservation && reserved === null) return [];
  const offers = catalogOffers({
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
  return reserved === null ? offers : offers.flatMap((offer) => ofReservation(offer, reserved.sizes));
}

/** In the zones that have room; where none has, in all of them, and not to be had. */
function ofReservation(offer: Offer, sizes: readonly ReservedSize[]): Offer[] {
  const { region, instance } = offer;
  const here = sizes.filter((each) => each.size === instance.name && each.region === region);
  if (here.length === 0 || instance.resources.spot) return [];
  const free = here.filter((each) => each.free > 0);
  const zones = (free.length > 0 ? free : here).flatMap(({ zone }) => zone ?? []);
  const full = { availability: 'not_available' as const, availability_reason: 'the reservation is full' };
  return [
    {
      ...offer,
      ...(zones.length === 0 ? {} : { availability_zones: zones.sort() }),
      ...(free.length > 0 ? { availability: 'available' as const } : full),
    },
  ];
}
