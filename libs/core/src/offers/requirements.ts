import type * as Wire from '../wire/generated/api.js';

type ProfileLimits = Pick<Wire.Profile, 'max_price' | 'spot_policy' | 'reservation' | 'backend_options'>;

const SPOT: Readonly<Record<Wire.SpotPolicy, boolean | null>> = { spot: true, 'on-demand': false, auto: null };

/** On-demand unless the configuration says otherwise. */
export function spotRequirement(policy: Wire.SpotPolicy | null | undefined): boolean | null {
  return SPOT[policy ?? 'on-demand'];
}

export function requirementsOf(
  resources: Wire.ResourcesSpec,
  profile: ProfileLimits,
  { jobsPerReplica = 1 }: { jobsPerReplica?: number } = {},
): Wire.Requirements {
  return {
    resources,
    max_price: profile.max_price ?? null,
    spot: spotRequirement(profile.spot_policy),
    reservation: profile.reservation ?? null,
    multinode: jobsPerReplica > 1,
    backend_options: profile.backend_options ?? null,
  };
}
