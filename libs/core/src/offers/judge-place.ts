import { backendHas } from './backend-features.js';
import { includesIgnoringCase } from './includes-ignoring-case.js';
import type { Offer } from './offer.js';
import type { OfferFilters } from './offer-filters.js';
import type { Reject } from './rejection.js';

/** What an offer says of where the machine is or would be. */
export type OfferPlace = Pick<Offer, 'backend' | 'region' | 'availability_zones' | 'instance_id'>;

/** Gives those of its zones that are asked for; null where it names none. */
export function judgePlace(offer: OfferPlace, filters: OfferFilters, reject: Reject): string[] | null {
  const { backends, regions } = filters;
  if (!isWanted(filters, offer.backend))
    reject('backend', () => `backend ${offer.backend}, not ${(backends ?? []).join(' or ')}`);
  if (regions && !includesIgnoringCase(regions, offer.region))
    reject('region', () => `region ${offer.region}, not ${regions.join(' or ')}`);
  const zones = zonesOfVolumes(offer, narrowZones(offer, filters, reject), filters, reject);
  for (const feature of filters.features)
    if (!backendHas(offer.backend, feature))
      reject('feature', () => `backend ${offer.backend} has no ${feature.replaceAll('-', ' ')}`);
  return zones;
}

/** This machine goes as `remote` on the wire, so either name asks for it. */
function isWanted({ backends }: Pick<OfferFilters, 'backends'>, backend: Offer['backend']): boolean {
  return backends?.some((wanted) => backend === wanted || (backend === 'local' && wanted === 'remote')) ?? true;
}

// An existing instance whose zone nobody knows passes; an offer to create must say where it can be.
function narrowZones(offer: OfferPlace, filters: OfferFilters, reject: Reject): string[] | null {
  const wanted = filters.availabilityZones;
  const has = offer.availability_zones ?? null;
  if (wanted === null) return has;
  if (has === null && offer.instance_id !== undefined) return null;
  const zones = (has ?? []).filter((zone) => wanted.includes(zone));
  if (zones.length > 0) return zones;
  reject('availability-zone', () => `zone ${has?.join(', ') ?? 'unknown'}, not ${wanted.join(' or ')}`);
  return has;
}

/** A machine must be where its volumes are; one that says no zone is made in theirs. */
function zonesOfVolumes(
  offer: OfferPlace,
  zones: string[] | null,
  { volumeLocations: locations }: OfferFilters,
  reject: Reject,
): string[] | null {
  if (locations === null) return zones;
  const there = locations.filter(
    (at) => at.backend === offer.backend && at.region.toLowerCase() === offer.region.toLowerCase(),
  );
  const wanted = there.flatMap((at) => at.zone ?? []);
  const isAnyZone = wanted.length < there.length;
  const left = isAnyZone || (zones === null && offer.instance_id !== undefined) ? zones : inBoth(zones, wanted);
  if (there.length > 0 && left?.length !== 0) return left;
  const where = (): string => locations.map((at) => `${at.backend} ${at.zone ?? at.region}`).join(' or ');
  const here = zones === null || there.length === 0 ? offer.region : zones.join(', ');
  reject('volumes', () => `${offer.backend} ${here}, but the volumes are in ${where()}`);
  return zones;
}

function inBoth(zones: readonly string[] | null, wanted: readonly string[]): string[] {
  return zones === null ? [...new Set(wanted)] : zones.filter((zone) => wanted.includes(zone));
}
