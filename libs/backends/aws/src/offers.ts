import { catalogOffers, catalogTable } from '@dstack/backend-base/catalog-table';
import type { Catalog, CatalogRow } from '@dstack/catalog';
import type { Offer, OfferTable, Wire } from '@dstack/core';
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

/** All that the account is offered, but for reservations. */
export function awsOfferTable({
  catalog,
  experimental,
  regions,
}: Pick<AwsOffersRequest, 'catalog' | 'experimental' | 'regions'>): OfferTable {
  return catalogTable({
    backend: 'aws',
    catalog,
    isSold: ({ name }) => isOffered(name, experimental),
    placeOf: (location) => placeIn(regions, location),
    diskRangeGb: DISK_RANGE_GB,
    availabilityOf: (row, region) => availabilityIn(regions, row, region),
  });
}

const DISK_RANGE_GB = { min: 100, max: 16_000 };

export function awsOffers({ catalog, requirements, experimental, regions, reservation }: AwsOffersRequest): Offer[] {
  if (reservation === null && requirements.reservation) return [];
  const offers = catalogOffers({
    backend: 'aws',
    catalog,
    requirements,
    isSold: ({ name }) => (reservation === null ? isOffered(name, experimental) : name === reservation.type),
    placeOf: (location) => placeIn(regions, location),
    diskRangeGb: DISK_RANGE_GB,
    availabilityOf: (row, region) => availabilityIn(regions, row, region),
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

type Regions = AwsOffersRequest['regions'];

function placeIn(regions: Regions, location: string): { region: string; zones: readonly string[] | null } | null {
  const facts = regions.get(location);
  return facts === undefined ? null : { region: location, zones: facts.zones };
}

function availabilityIn(
  regions: Regions,
  { type, isSpot }: CatalogRow,
  region: string,
): Pick<Offer, 'availability' | 'availability_reason'> {
  const reason = whyNoQuota(type.name, type.cpus ?? 0, isSpot, regions.get(region)?.quotas ?? null);
  return reason === null ? { availability: 'unknown' } : { availability: 'no_quota', availability_reason: reason };
}
