import type * as Wire from '../wire/generated/api.js';
import { judgePlace } from './judge-place.js';
import { judgeType } from './judge-type.js';
import type { Offer } from './offer.js';
import { NO_FILTERS, type OfferFilters } from './offer-filters.js';
import { collectRejections, type Reject, type RejectionReason } from './rejection.js';

export type OfferMatch =
  { readonly ok: true; readonly offer: Offer } | { readonly ok: false; readonly reasons: RejectionReason[] };

/** Whether a job can run on the offer, with the disk and the zones it would get; or every reason why not. */
export function matchOffer(
  offer: Offer,
  requirements: Wire.Requirements,
  filters: OfferFilters = NO_FILTERS,
): OfferMatch {
  let diskGb: number | null = null;
  let zones: string[] | null = null;
  const reasons = collectRejections((reject) => {
    judgePrice(offer.price, requirements, reject);
    diskGb = judgeType(offer, requirements, filters, reject);
    zones = judgePlace(offer, filters, reject);
  });
  return reasons.length > 0 ? { ok: false, reasons } : { ok: true, offer: asFitted(offer, diskGb, zones) };
}

export function judgePrice(price: number, requirements: Wire.Requirements, reject: Reject): void {
  const maxPrice = requirements.max_price ?? null;
  if (maxPrice !== null && price > maxPrice) reject('price', () => `price $${price} > $${maxPrice}`);
}

/** The offer with the disk and the zones that the job would get. */
export function asFitted(offer: Offer, diskGb: number | null, zones: string[] | null): Offer {
  return withZones(withDisk(offer, diskGb), zones);
}

function withDisk(offer: Offer, sizeGb: number | null): Offer {
  if (sizeGb === null) return offer;
  const resources = { ...offer.instance.resources, disk: { size_mib: Math.round(sizeGb * 1024) } };
  return { ...offer, instance: { ...offer.instance, resources } };
}

function withZones(offer: Offer, zones: string[] | null): Offer {
  return zones === (offer.availability_zones ?? null) ? offer : { ...offer, availability_zones: zones };
}
