import { catalogOffers } from '@dstack/backend-base/catalog-table';
import type { Catalog } from '@dstack/catalog';
import type { Offer, Wire } from '@dstack/core';
import { type FreeQuotas, whyNoQuota } from './quotas.js';
import { type Reserved, withinReservation } from './reservation.js';
import { regionOf } from './region-of.js';
import { sliceOffers } from './slice-offers.js';
import { isOffered } from './sold-types.js';
import { isTpu, TPU_DISK_GB } from './tpu-types.js';

export interface GcpOffersRequest {
  readonly catalog: Catalog;
  readonly requirements: Wire.Requirements;
  /** Where the account has a network. */
  readonly regions: ReadonlySet<string>;
  /** By region; absent: Google does not say. */
  readonly quotas: ReadonlyMap<string, FreeQuotas>;
  /** What is wanted is there and nowhere else; null: nothing is reserved. */
  readonly reserved: Reserved | null;
}

const DISK_RANGE_GB = { min: 20, max: 32_000 };

export function gcpOffers({ catalog, requirements, regions, quotas, reserved }: GcpOffersRequest): Offer[] {
  const isReserved = Boolean(requirements.reservation);
  if (isReserved && reserved === null) return [];
  const offers = catalogOffers({
    backend: 'gcp',
    catalog,
    requirements,
    isSold: (type) => isOffered(type, isReserved),
    placeOf: (zone) => {
      const region = regionOf(zone);
      return regions.has(region) ? { region, zones: [zone] } : null;
    },
    diskRangeGb: DISK_RANGE_GB,
    availabilityOf: ({ type, isSpot }, region) => {
      const reason = whyNoQuota(type.gpu, isSpot, quotas.get(region) ?? null);
      return reason === null ? { availability: 'unknown' } : { availability: 'no_quota', availability_reason: reason };
    },
  }).map((offer) => withFixedDisk(inOrder(offer)));
  return reserved === null
    ? [...offers, ...sliceOffers({ catalog, regions })]
    : offers.flatMap((offer) => withinReservation(offer, reserved) ?? []);
}

/** The same zone is tried first everywhere: machines of one project are near each other. */
function inOrder(offer: Offer): Offer {
  return { ...offer, availability_zones: offer.availability_zones?.toSorted() ?? null };
}

function withFixedDisk(offer: Offer): Offer {
  if (!isTpu(offer.instance.name)) return offer;
  const { disk_range_gb: _chosen, ...fixed } = offer;
  const resources = { ...offer.instance.resources, disk: { size_mib: TPU_DISK_GB * 1024 } };
  return { ...fixed, instance: { ...offer.instance, resources } };
}
