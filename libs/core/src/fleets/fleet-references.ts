import type * as Wire from '../wire/generated/api.js';

/** The fleets of the run's own project that `fleets:` limits it to; null: any. */
export function namedFleets(profile: Pick<Wire.Profile, 'fleets'>): string[] | null {
  return profile.fleets?.map((reference) => ownOf(reference).name) ?? null;
}

/** Why a reference cannot be followed; null when all can. Fleets of other projects would have to be imported. */
export function whyFleetsAreForeign(
  profile: Pick<Wire.Profile, 'fleets' | 'instances'>,
  projectName: string,
): string | null {
  const references = [
    ...(profile.fleets ?? []),
    ...(profile.instances ?? []).flatMap((selector) => ('fleet' in selector ? [selector.fleet] : [])),
  ];
  const foreign = references.map(ownOf).find(({ project }) => project !== null && project !== projectName);
  if (foreign === undefined) return null;
  return `Fleet ${foreign.project ?? ''}/${foreign.name} is of another project, and importing fleets is not built yet. Name a fleet of project ${projectName}`;
}

function ownOf(reference: Wire.EntityReference | string): { project: string | null; name: string } {
  const { project = null, name } = typeof reference === 'string' ? splitReference(reference) : reference;
  return { project, name };
}

function splitReference(text: string): Wire.EntityReference {
  const slash = text.indexOf('/');
  return slash === -1 ? { name: text } : { project: text.slice(0, slash), name: text.slice(slash + 1) };
}
