import { matchOffer } from '../offers/match-offer.js';
import { filtersOfProfile } from '../offers/offer-filters.js';
import type { Offer } from '../offers/offer.js';
import { requirementsOf } from '../offers/requirements.js';
import { isSame } from '../runs/diff.js';
import type * as Wire from '../wire/generated/api.js';
import { effectiveFleetParameters, UNCONSTRAINED_RESOURCES } from './fleet-parameters.js';

/** What a fleet asks of a machine that it makes for itself, not for a run. */
export function fleetAsk(spec: Pick<Wire.FleetSpec, 'configuration' | 'profile'>): {
  readonly requirements: Wire.Requirements;
  readonly profile: Wire.Profile;
} {
  const parameters = effectiveFleetParameters(spec);
  const resources = spec.configuration.resources ?? UNCONSTRAINED_RESOURCES;
  return { requirements: requirementsOf(resources, parameters), profile: { ...parameters, name: 'default' } };
}

export interface FleetMachine {
  readonly id: string;
  /** Null until it was looked for. */
  readonly offer: Offer | null;
  readonly zone: string | null;
  /** What it was asked to be. */
  readonly requirements: Wire.Requirements | null;
  readonly profile: Wire.Profile | null;
  readonly isMadeForJob: boolean;
}

/** Whether the fleet, as it is specified now, would have made this machine. */
export function fitsFleet(spec: Pick<Wire.FleetSpec, 'configuration' | 'profile'>, machine: FleetMachine): boolean {
  const ask = fleetAsk(spec);
  if (machine.offer !== null) {
    const zones = machine.zone === null ? null : [machine.zone];
    const existing = { ...machine.offer, instance_id: machine.id, availability_zones: zones };
    return matchOffer(existing, ask.requirements, filtersOfProfile(ask.profile)).ok;
  }
  return (
    machine.isMadeForJob || (isSame(machine.requirements, ask.requirements) && isSame(machine.profile, ask.profile))
  );
}
