import type * as Wire from '../wire/generated/api.js';

/** Limits of a run to fleets; both fields may name fleets of other projects. */
type FleetLimits = Pick<Wire.Profile, 'fleets' | 'instances'>;

/** A fleet as the runs of a project call it: its own by name, those that others share as `project/name`. */
export function fleetReference(fleet: { readonly project: string | null; readonly name: string }, projectName: string): string {
  const { project, name } = fleet;
  return project === null || project === projectName ? name : `${project}/${name}`;
} // prettier-ignore

/** The fleets that `fleets:` limits a run of the project to, as its runs call them; null: any. */
export function namedFleets(profile: Pick<Wire.Profile, 'fleets'>, projectName: string): string[] | null {
  return profile.fleets?.map((reference) => referenceOf(reference, projectName)) ?? null;
}

export function referenceOf(reference: Wire.EntityReference | string, projectName: string): string {
  return fleetReference(parse(reference), projectName);
}

/** Those of other projects: somebody has to share them. */
export function foreignFleets(profile: FleetLimits, projectName: string): { project: string; name: string }[] {
  const references = [
    ...(profile.fleets ?? []),
    ...(profile.instances ?? []).flatMap((selector) => ('fleet' in selector ? [selector.fleet] : [])),
  ];
  return references
    .map(parse)
    .flatMap(({ project, name }) => (project === null || project === projectName ? [] : [{ project, name }]));
}

function parse(reference: Wire.EntityReference | string): { project: string | null; name: string } {
  const { project = null, name } = typeof reference === 'string' ? splitReference(reference) : reference;
  return { project, name };
}

function splitReference(text: string): Wire.EntityReference {
  const slash = text.indexOf('/');
  return slash === -1 ? { name: text } : { project: text.slice(0, slash), name: text.slice(slash + 1) };
}
