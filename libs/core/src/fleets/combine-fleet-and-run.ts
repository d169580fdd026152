import type * as Wire from '../wire/generated/api.js';
import { combined, conflict, equalOrUnset, higher, intersectLists, lower, type Combined } from './combined.js';
import { combineResources } from './combine-resources.js';
import { keepsNodesTogether } from './fleet-facts.js';
import { effectiveFleetParameters, UNCONSTRAINED_RESOURCES } from './fleet-parameters.js';

export interface RunAsk {
  /** The run's effective profile. */
  readonly profile: Wire.Profile;
  readonly requirements: Wire.Requirements;
}

/** What to ask backends for when a run would create an instance in a fleet; or why the two do not go together. */
export function combineFleetAndRun(
  fleet: Pick<Wire.FleetSpec, 'configuration' | 'profile' | 'autocreated'>,
  run: RunAsk,
): Combined<RunAsk> {
  const limits = effectiveFleetParameters(fleet);
  const { profile, requirements } = run;
  if (requirements.multinode === true && !keepsNodesTogether(fleet)) {
    return conflict('several nodes need a fleet with `placement: cluster`');
  }
  const backends = intersectLists('backends', limits.backends, profile.backends, { ignoreCase: false });
  if (!backends.ok) return backends;
  const regions = intersectLists('regions', limits.regions, profile.regions, { ignoreCase: true });
  if (!regions.ok) return regions;
  const zones = intersectLists('availability zones', limits.availability_zones, profile.availability_zones, {
    ignoreCase: false,
  });
  if (!zones.ok) return zones;
  const types = intersectLists('instance types', limits.instance_types, profile.instance_types, { ignoreCase: true });
  if (!types.ok) return types;
  const reservation = equalOrUnset('reservation', limits.reservation, requirements.reservation);
  if (!reservation.ok) return reservation;
  const spot = combineSpot(limits.spot_policy ?? 'on-demand', requirements.spot ?? null);
  if (!spot.ok) return spot;
  const resources = combineResources(fleet.configuration.resources ?? UNCONSTRAINED_RESOURCES, requirements.resources);
  if (!resources.ok) return resources;
  const options = combineBackendOptions(limits.backend_options ?? [], requirements.backend_options ?? []);
  if (!options.ok) return options;
  const maxPrice = lower(limits.max_price, requirements.max_price);
  return combined({
    profile: {
      ...profile,
      backends: backends.value,
      regions: regions.value,
      availability_zones: zones.value,
      instance_types: types.value,
      reservation: reservation.value,
      spot_policy: spot.value === null ? 'auto' : spot.value ? 'spot' : 'on-demand',
      max_price: maxPrice,
      idle_duration: combineIdleSeconds(limits.idle_duration, profile.idle_duration),
      tags: { ...limits.tags, ...profile.tags },
      backend_options: options.value,
    },
    requirements: {
      ...requirements,
      resources: resources.value,
      max_price: maxPrice,
      spot: spot.value,
      reservation: reservation.value,
      backend_options: options.value,
    },
  });
}

function combineSpot(fleet: Wire.SpotPolicy, run: boolean | null): Combined<boolean | null> {
  if (fleet === 'auto') return combined(run);
  const fleetSpot = fleet === 'spot';
  if (run === null || run === fleetSpot) return combined(fleetSpot);
  return conflict(`spot policy: the fleet has ${fleet}, the run asks for ${run ? 'spot' : 'on-demand'}`);
}

/** The shorter wins; `off` (negative) yields to the other side. */
export function combineIdleSeconds(fleet: number | null | undefined, run: number | null | undefined): number | null {
  const finite = [fleet, run].filter((value) => value !== null && value !== undefined && value >= 0);
  return finite.length === 0 ? (run ?? fleet ?? null) : lower(finite[0], finite[1]);
}

function combineBackendOptions(
  fleet: readonly Wire.VastAIProfileOptions[],
  run: readonly Wire.VastAIProfileOptions[],
): Combined<Wire.VastAIProfileOptions[] | null> {
  const types = [...new Set([...fleet, ...run].map((options) => options.type))];
  const merged: Wire.VastAIProfileOptions[] = [];
  for (const type of types) {
    const ours = fleet.find((options) => options.type === type);
    const theirs = run.find((options) => options.type === type);
    const order = equalOrUnset(`${type ?? 'backend'} offer_order`, ours?.offer_order, theirs?.offer_order);
    if (!order.ok) return order;
    merged.push({
      type: type ?? 'vastai',
      offer_order: order.value,
      min_reliability: higher(ours?.min_reliability, theirs?.min_reliability),
      min_score: higher(ours?.min_score, theirs?.min_score),
    });
  }
  return combined(merged.length === 0 ? null : merged);
}
