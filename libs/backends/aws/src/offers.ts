import { catalogOffers } from '@dstack/backend-base/catalog-offers';
import type { Catalog } from '@dstack/catalog';
import type { Offer, Wire } from '@dstack/core';
import { isOffered } from './instance-families.js';
import { type Quotas, whyNoQuota } from './quotas.js';

export interface RegionFacts {
  /** Null: AWS does not say. */
  readonly zones: readonly string[] | null;
  readonly quotas: Quotas | null;
}

export interface AwsOffersRequest {
  readonly catalog: Catalog;
  readonly requirements: Wire.Requirements;
  readonly experimental: readonly string[];
  /** Those of the account. */
  readonly regions: ReadonlyMap<string, RegionFacts>;
  /** What is wanted is there and nowhere else; null: nothing is reserved. */
  readonly reservation: {
    readonly region: string;
    readonly zone: string;
    readonly type: string;
    readonly free: number;
  } | null;
}

const DISK_RANGE_GB = { min: 100, max: 16_000 };

export function awsOffers({ catalog, requirements, experimental, regions, reservation }: AwsOffersRequest): Offer[] {
  if (reservation === null && requirements.reservation) return [];
  const offers = catalogOffers({
    backend: 'aws',
    catalog,
    requirements,
    isSold: ({ name }) => (reservation === null ? isOffered(name, experimental) : name === reservation.type),
    placeOf: (location) => {
      const facts = regions.get(location);
      return facts === undefined ? null : { region: location, zones: facts.zones };
    },
    diskRangeGb: DISK_RANGE_GB,
    availabilityOf: ({ type, isSpot }, region) => {
      const reason = whyNoQuota(type.name, type.cpus ?? 0, isSpot, regions.get(region)?.quotas ?? null);
      return reason === null ? { availability: 'unknown' } : { availability: 'no_quota', availability_reason: reason };
    },
  });
  if (reservation === null) return offers;
  const { region, zone, free } = reservation;
  return offers
    .filter((offer) => offer.region === region && !offer.instance.resources.spot)
    .map((offer) => ({
      ...offer,
      availability_zones: [zone],
      ...(free > 0
        ? { availability: 'available' as const }
        : { availability: 'not_available' as const, availability_reason: 'the reservation is full' }),
    }));
}
