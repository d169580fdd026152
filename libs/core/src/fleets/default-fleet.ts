import { parseFleetSpecValue } from '../configuration/run-spec.js';
import type * as Wire from '../wire/generated/api.js';
import { namedFleets } from './fleet-references.js';

/** The fleet of a project whose runs name none: made when a run first needs it, an ordinary fleet from then on. */
export const DEFAULT_FLEET = 'default';

/** Limits nothing: what a run asks for is what its machines are. */
export function defaultFleetSpec(): Wire.FleetSpec {
  const configuration = { type: 'fleet', name: DEFAULT_FLEET, nodes: '0..', spot_policy: 'auto' };
  const parsed = parseFleetSpecValue({ configuration, profile: { name: 'default' }, autocreated: true });
  if (parsed.ok) return parsed.value;
  throw new TypeError(`the default fleet is refused: ${parsed.issues.map((issue) => issue.message).join('; ')}`);
}

/** Whether the run's machines go under the default fleet although the project has none of that name. Fleets that others share count for nothing. */
export function needsDefaultFleet(
  profile: Pick<Wire.Profile, 'fleets' | 'instances' | 'creation_policy'>,
  project: { readonly name: string; readonly activeFleets: readonly string[] },
): boolean {
  // Both ask for machines that are there already.
  if (profile.instances || profile.creation_policy === 'reuse') return false;
  const named = namedFleets(profile, project.name);
  if (named === null) return project.activeFleets.length === 0;
  return named.includes(DEFAULT_FLEET) && !project.activeFleets.includes(DEFAULT_FLEET);
}
