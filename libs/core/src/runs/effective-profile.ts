import type * as Wire from '../wire/generated/api.js';

export const PROFILE_FIELDS = [
  'backends',
  'regions',
  'availability_zones',
  'instance_types',
  'reservation',
  'spot_policy',
  'retry',
  'max_duration',
  'stop_duration',
  'max_price',
  'creation_policy',
  'idle_duration',
  'utilization_policy',
  'startup_order',
  'stop_criteria',
  'schedule',
  'fleets',
  'instances',
  'tags',
  'backend_options',
] as const satisfies readonly (keyof Wire.Profile)[];

type ProfileParameters = Pick<Wire.Profile, (typeof PROFILE_FIELDS)[number]>;

/** The parameters a run really has: the configuration's where it sets one (whole), else the profile's, else null. */
export function effectiveProfile(spec: Pick<Wire.RunSpec, 'configuration' | 'profile'>): Wire.Profile {
  const fields = PROFILE_FIELDS.map(
    (field) => [field, spec.configuration[field] ?? spec.profile?.[field] ?? null] as const,
  );
  const parameters: ProfileParameters = Object.fromEntries(fields);
  return { ...parameters, name: spec.profile?.name ?? 'default', default: spec.profile?.default ?? false };
}

export const DEFAULT_STOP_DURATION_SECONDS = 300;
export const DEFAULT_RUN_IDLE_SECONDS = 300;
export const DEFAULT_FLEET_IDLE_SECONDS = 259_200;

/** Null: never. */
export function secondsOrOff(value: 'off' | number | null | undefined, unset: number | null): number | null {
  if (value === 'off') return null;
  return value ?? unset;
}

const ALL_EVENTS: readonly Wire.RetryEvent[] = ['no-capacity', 'interruption', 'error'];
const DEFAULT_RETRY_SECONDS = 3600;

/** `true` is every event for an hour; what an object leaves out is the same. */
export function retryOf(retry: Wire.Profile['retry']): Wire.Retry | null {
  if (retry === null || retry === undefined || retry === false) return null;
  if (retry === true) return { on_events: [...ALL_EVENTS], duration: DEFAULT_RETRY_SECONDS };
  return { on_events: [...(retry.on_events ?? ALL_EVENTS)], duration: retry.duration ?? DEFAULT_RETRY_SECONDS };
}
