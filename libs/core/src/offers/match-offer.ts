import type * as Wire from '../wire/generated/api.js';
import { backendHas } from './backend-features.js';
import type { Offer } from './offer.js';
import { NO_FILTERS, type OfferFilters } from './offer-filters.js';
import { knownDiskGb, resourceRejections } from './match-resources.js';
import { formatRange, intersectRanges } from './range.js';
import type { RejectionReason } from './rejection.js';

export type OfferMatch =
  { readonly ok: true; readonly offer: Offer } | { readonly ok: false; readonly reasons: RejectionReason[] };

/** Whether a job can run on the offer, with the disk and the zones it would get; or every reason why not. */
export function matchOffer(
  offer: Offer,
  requirements: Wire.Requirements,
  filters: OfferFilters = NO_FILTERS,
): OfferMatch {
  const disk = chooseDisk(offer, requirements);
  const zones = narrowZones(offer, filters);
  const reasons = [
    ...priceRejections(offer, requirements),
    ...resourceRejections(requirements.resources, offer.instance.resources),
    ...disk.reasons,
    ...placeRejections(offer, filters),
    ...zones.reasons,
    ...volumeRejections(offer, filters),
    ...featureRejections(offer, filters),
  ];
  if (reasons.length > 0) return { ok: false, reasons };
  return { ok: true, offer: withZones(withDisk(offer, disk.sizeGb), zones.zones) };
}

function priceRejections(offer: Offer, requirements: Wire.Requirements): RejectionReason[] {
  const reasons: RejectionReason[] = [];
  const maxPrice = requirements.max_price ?? null;
  if (maxPrice !== null && offer.price > maxPrice) {
    reasons.push({ code: 'price', text: `price $${offer.price} > $${maxPrice}` });
  }
  const spot = requirements.spot ?? null;
  if (spot !== null && offer.instance.resources.spot !== spot) {
    reasons.push({ code: 'spot', text: spot ? 'on-demand, not spot' : 'spot, not on-demand' });
  }
  return reasons;
}

const DEFAULT_DISK = { min: 100, max: null };

// A backend that lets the disk be chosen gets the smallest that satisfies both sides.
function chooseDisk(
  offer: Offer,
  requirements: Wire.Requirements,
): { sizeGb: number | null; reasons: RejectionReason[] } {
  if (offer.disk_range_gb === undefined || knownDiskGb(offer.instance.resources) !== null)
    return { sizeGb: null, reasons: [] };
  const wanted = requirements.resources.disk?.size ?? DEFAULT_DISK;
  const range = intersectRanges(wanted, offer.disk_range_gb);
  if (range !== null) return { sizeGb: range.min ?? null, reasons: [] };
  const text = `disk ${formatRange(offer.disk_range_gb, 'GB')} has nothing in ${formatRange(wanted, 'GB')}`;
  return { sizeGb: null, reasons: [{ code: 'disk', text }] };
}

function placeRejections(offer: Offer, filters: OfferFilters): RejectionReason[] {
  const reasons: RejectionReason[] = [];
  if (filters.backends && !filters.backends.some((backend) => isBackend(offer, backend))) {
    reasons.push({ code: 'backend', text: `backend ${offer.backend}, not ${filters.backends.join(' or ')}` });
  }
  if (filters.regions && !includesIgnoringCase(filters.regions, offer.region)) {
    reasons.push({ code: 'region', text: `region ${offer.region}, not ${filters.regions.join(' or ')}` });
  }
  if (filters.instanceTypes && !includesIgnoringCase(filters.instanceTypes, offer.instance.name)) {
    const text = `instance type ${offer.instance.name}, not ${filters.instanceTypes.join(' or ')}`;
    reasons.push({ code: 'instance-type', text });
  }
  return reasons;
}

// This machine goes as `remote` on the wire, so either name asks for it.
function isBackend(offer: Offer, backend: string): boolean {
  return offer.backend === backend || (offer.backend === 'local' && backend === 'remote');
}

function includesIgnoringCase(list: readonly string[], value: string): boolean {
  return list.some((item) => item.toLowerCase() === value.toLowerCase());
}

// An existing instance whose zone nobody knows passes; an offer to create must say where it can be.
function narrowZones(offer: Offer, filters: OfferFilters): { zones: string[] | null; reasons: RejectionReason[] } {
  const wanted = filters.availabilityZones;
  const has = offer.availability_zones ?? null;
  if (wanted === null) return { zones: has, reasons: [] };
  if (has === null && offer.instance_id !== undefined) return { zones: null, reasons: [] };
  const zones = (has ?? []).filter((zone) => wanted.includes(zone));
  if (zones.length > 0) return { zones, reasons: [] };
  const text = `zone ${has?.join(', ') ?? 'unknown'}, not ${wanted.join(' or ')}`;
  return { zones: has, reasons: [{ code: 'availability-zone', text }] };
}

function volumeRejections(offer: Offer, filters: OfferFilters): RejectionReason[] {
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

function featureRejections(offer: Offer, filters: OfferFilters): RejectionReason[] {
  return filters.features
    .filter((feature) => !backendHas(offer.backend, feature))
    .map((feature) => ({ code: 'feature', text: `backend ${offer.backend} has no ${feature.replaceAll('-', ' ')}` }));
}

function withDisk(offer: Offer, sizeGb: number | null): Offer {
  if (sizeGb === null) return offer;
  const resources = { ...offer.instance.resources, disk: { size_mib: Math.round(sizeGb * 1024) } };
  return { ...offer, instance: { ...offer.instance, resources } };
}

function withZones(offer: Offer, zones: string[] | null): Offer {
  return zones === (offer.availability_zones ?? null) ? offer : { ...offer, availability_zones: zones };
}
