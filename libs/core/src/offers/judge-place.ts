import { backendHas } from './backend-features.js';
import { includesIgnoringCase } from './includes-ignoring-case.js';
import type { Offer } from './offer.js';
import type { OfferFilters } from './offer-filters.js';
import type { RejectionReason } from './rejection.js';

/** What an offer says of where the machine is or would be. */
export type OfferPlace = Pick<Offer, 'backend' | 'region' | 'availability_zones' | 'instance_id'>;

export interface PlaceVerdict {
  readonly reasons: readonly RejectionReason[];
  /** Those of its zones that are asked for. */
  readonly zones: string[] | null;
}

export function judgePlace(offer: OfferPlace, filters: OfferFilters): PlaceVerdict {
  const zones = narrowZones(offer, filters);
  return {
    reasons: [
      ...placeRejections(offer, filters),
      ...zones.reasons,
      ...volumeRejections(offer, filters),
      ...featureRejections(offer, filters),
    ],
    zones: zones.zones,
  };
}

function placeRejections(offer: OfferPlace, filters: OfferFilters): RejectionReason[] {
  const reasons: RejectionReason[] = [];
  if (filters.backends && !filters.backends.some((backend) => isBackend(offer, backend))) {
    reasons.push({ code: 'backend', text: `backend ${offer.backend}, not ${filters.backends.join(' or ')}` });
  }
  if (filters.regions && !includesIgnoringCase(filters.regions, offer.region)) {
    reasons.push({ code: 'region', text: `region ${offer.region}, not ${filters.regions.join(' or ')}` });
  }
  return reasons;
}

// This machine goes as `remote` on the wire, so either name asks for it.
function isBackend(offer: OfferPlace, backend: string): boolean {
  return offer.backend === backend || (offer.backend === 'local' && backend === 'remote');
}

// An existing instance whose zone nobody knows passes; an offer to create must say where it can be.
function narrowZones(offer: OfferPlace, filters: OfferFilters): { zones: string[] | null; reasons: RejectionReason[] } {
  const wanted = filters.availabilityZones;
  const has = offer.availability_zones ?? null;
  if (wanted === null) return { zones: has, reasons: [] };
  if (has === null && offer.instance_id !== undefined) return { zones: null, reasons: [] };
  const zones = (has ?? []).filter((zone) => wanted.includes(zone));
  if (zones.length > 0) return { zones, reasons: [] };
  const text = `zone ${has?.join(', ') ?? 'unknown'}, not ${wanted.join(' or ')}`;
  return { zones: has, reasons: [{ code: 'availability-zone', text }] };
}

function volumeRejections(offer: OfferPlace, filters: OfferFilters): RejectionReason[] {
  const locations = filters.volumeLocations;
  if (locations === null) return [];
  const fits = locations.some(
    (at) =>
      at.backend === offer.backend &&
      at.region.toLowerCase() === offer.region.toLowerCase() &&
      (at.zone === null || !offer.availability_zones || offer.availability_zones.includes(at.zone)),
  );
  if (fits) return [];
  const where = locations.map((at) => `${at.backend} ${at.zone ?? at.region}`).join(' or ');
  return [{ code: 'volumes', text: `${offer.backend} ${offer.region}, but the volumes are in ${where}` }];
}

function featureRejections(offer: OfferPlace, filters: OfferFilters): RejectionReason[] {
  return filters.features
    .filter((feature) => !backendHas(offer.backend, feature))
    .map((feature) => ({ code: 'feature', text: `backend ${offer.backend} has no ${feature.replaceAll('-', ' ')}` }));
}
