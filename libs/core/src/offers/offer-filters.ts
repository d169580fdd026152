import type { BackendFeature } from './backend-features.js';
import type { InternalBackendType } from '../wire/internal-values.js';
import type * as Wire from '../wire/generated/api.js';

/** Where a network volume can be used. */
export interface VolumeLocation {
  readonly backend: InternalBackendType;
  readonly region: string;
  readonly zone: string | null;
}

/** Everything besides resources that limits where a job may run. Null: no limit. */
export interface OfferFilters {
  readonly backends: readonly InternalBackendType[] | null;
  readonly regions: readonly string[] | null;
  readonly availabilityZones: readonly string[] | null;
  readonly instanceTypes: readonly string[] | null;
  /** The locations of the alternatives of the first volume mount; null: no network volume. */
  readonly volumeLocations: readonly VolumeLocation[] | null;
  /** What the backend must be able to do. */
  readonly features: readonly BackendFeature[];
  /** What in the configuration only a container has, in the user's words; null: nothing. */
  readonly containerOnly: string | null;
  /** Of the task whose nodes are all made together; absent or null: each machine is made by itself. */
  readonly nodes?: number | null;
  /** Why the containers of a task's nodes cannot be made together; absent or null: they can, or are not asked for. */
  readonly unlikeNodes?: string | null;
  /** The architectures for which the server has an agent; absent or null: whatever it needs is there. */
  readonly agentArchs?: readonly Wire.CPUArchitecture[] | null;
}

export const NO_FILTERS: OfferFilters = {
  backends: null,
  regions: null,
  availabilityZones: null,
  instanceTypes: null,
  volumeLocations: null,
  features: [],
  containerOnly: null,
};

type ProfileLimits = Pick<Wire.Profile, 'backends' | 'regions' | 'availability_zones' | 'instance_types'>;

export function filtersOfProfile(
  profile: ProfileLimits,
  rest: Partial<Pick<OfferFilters, 'volumeLocations' | 'features' | 'containerOnly' | 'nodes' | 'unlikeNodes'>> = {},
): OfferFilters {
  return {
    backends: profile.backends ?? null,
    regions: profile.regions ?? null,
    availabilityZones: profile.availability_zones ?? null,
    instanceTypes: profile.instance_types ?? null,
    volumeLocations: rest.volumeLocations ?? null,
    features: rest.features ?? [],
    containerOnly: rest.containerOnly ?? null,
    nodes: rest.nodes ?? null,
    unlikeNodes: rest.unlikeNodes ?? null,
  };
}
