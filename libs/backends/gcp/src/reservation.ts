import type { Offer } from '@dstack/core';
import { acceleratorName } from './accelerators.js';
import type { GceReservation } from './schema.js';
import { takesGpus } from './sold-types.js';

export interface ReservationName {
  /** Null: the account's own. */
  readonly project: string | null;
  readonly name: string;
}

/** `name` or `projects/p/reservations/name`; null: it is none of Google's. */
export function parseReservation(text: string): ReservationName | null {
  const [, project, name] = /^(?:projects\/([a-z0-9.:-]+)\/reservations\/)?([a-z0-9-]+)$/.exec(text) ?? [];
  return name === undefined ? null : { project: project ?? null, name };
}

export function reservationFilter({ name }: ReservationName): string {
  return `(name = "${name}") AND (status = "READY") AND (specificReservationRequired = true)`;
}

export interface Reserved {
  /** In the way machines are told to use it. */
  readonly path: string;
  readonly byZone: ReadonlyMap<string, GceReservation>;
}

/** The first of each zone; what the filter should have left out is left out here too. */
export function reservedByZone(found: readonly GceReservation[]): ReadonlyMap<string, GceReservation> {
  const byZone = new Map<string, GceReservation>();
  for (const reservation of found) {
    const zone = lastPart(reservation.zone);
    const isUsable = reservation.specificReservationRequired === true && reservation.status === 'READY';
    if (isUsable && !byZone.has(zone)) byZone.set(zone, reservation);
  }
  return byZone;
}

/** The offer as far as the reservation has it; null: it has none of that kind. */
export function withinReservation(offer: Offer, { byZone }: Reserved): Offer | null {
  if (offer.instance.resources.spot) return null;
  const zones = (offer.availability_zones ?? []).filter((zone) => isOfKind(offer, byZone.get(zone)));
  if (zones.length === 0) return null;
  const free = zones.filter((zone) => hasRoom(byZone.get(zone)));
  return free.length > 0
    ? { ...offer, availability_zones: free, availability: 'available' }
    : { ...offer, availability: 'not_available', availability_reason: 'the reservation is full' };
}

/** A type that brings its GPUs says with its name which; reservations may list them or not. */
function isOfKind({ instance }: Offer, reservation: GceReservation | undefined): boolean {
  const properties = reservation?.specificReservation?.instanceProperties;
  if (properties === undefined || lastPart(properties.machineType ?? '') !== instance.name) return false;
  if (!takesGpus(instance.name)) return true;
  const wanted = instance.resources.gpus;
  const listed = properties.guestAccelerators ?? [];
  if (wanted.length === 0 || listed.length === 0) return wanted.length === listed.length;
  const [first] = listed;
  return (
    listed.length === 1 &&
    first !== undefined &&
    first.acceleratorCount === wanted.length &&
    lastPart(first.acceleratorType) === acceleratorName(wanted[0]?.name ?? '')
  );
}

function hasRoom(reservation: GceReservation | undefined): boolean {
  const { assuredCount, count, inUseCount } = reservation?.specificReservation ?? {};
  return (inUseCount ?? 0) < (assuredCount ?? count ?? 0);
}

export function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
