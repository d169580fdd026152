import type * as Wire from '../wire/generated/api.js';

export const FLEET_PARAMETERS = [
  'backends',
  'regions',
  'availability_zones',
  'instance_types',
  'reservation',
  'spot_policy',
  'retry',
  'max_price',
  'idle_duration',
  'tags',
  'backend_options',
] as const satisfies readonly (keyof Wire.FleetConfiguration & keyof Wire.Profile)[];

type FleetParameters = Pick<Wire.FleetConfiguration, (typeof FLEET_PARAMETERS)[number]>;

/** The configuration's where it sets one, else the profile's, else null. */
export function effectiveFleetParameters(spec: Pick<Wire.FleetSpec, 'configuration' | 'profile'>): FleetParameters {
  return Object.fromEntries(
    FLEET_PARAMETERS.map((field) => [field, spec.configuration[field] ?? spec.profile[field] ?? null]),
  );
}

/** What a fleet without `resources` asks: nothing. */
export const UNCONSTRAINED_RESOURCES: Wire.ResourcesSpec = {
  cpu: { arch: null, count: { min: 1, max: null } },
  memory: { min: 0, max: null },
  shm_size: null,
  gpu: {
    vendor: null,
    name: null,
    count: { min: 0, max: null },
    memory: null,
    total_memory: null,
    compute_capability: null,
  },
  disk: null,
};
