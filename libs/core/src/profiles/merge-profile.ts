import type * as Wire from '../wire/generated/api.js';
import { PROFILE_FIELDS } from '../runs/effective-profile.js';

type Parameters = Partial<Pick<Wire.Profile, (typeof PROFILE_FIELDS)[number]>>;

/** The profile, each of its parameters replaced whole by the configuration's where that is set. */
export function mergeProfile(configuration: Parameters, profile: Wire.Profile): Wire.Profile {
  const set = PROFILE_FIELDS.filter(
    (name) => Object.hasOwn(configuration, name) && (configuration[name] ?? null) !== null,
  );
  return { ...profile, ...Object.fromEntries(set.map((name) => [name, configuration[name]])) };
}

/** As for a run; a fleet's unset spot policy is on-demand, and it does not retry. */
export function mergeFleetProfile(configuration: Parameters, profile: Wire.Profile): Wire.Profile {
  const merged = mergeProfile(configuration, profile);
  return { ...merged, spot_policy: merged.spot_policy ?? 'on-demand', retry: merged.retry ?? false };
}
