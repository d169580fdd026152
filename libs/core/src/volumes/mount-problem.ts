import type { Mount } from '../jobs/volume-mounts.js';
import type { NetworkMount } from './network-mounts.js';
import type { VolumeFact, VolumesByName } from './volume-fact.js';

export interface MountProblem {
  readonly message: string;
  /** Of the mounts of network volumes. */
  readonly mount: number;
  /** Of the names of that mount; null: it is about all of them. */
  readonly name: number | null;
}

/** Why jobs cannot ever mount what they name, whatever comes free: every volume that is missing, else the first thing that is wrong. */
export function mountProblems(jobs: readonly (readonly NetworkMount[])[], volumes: VolumesByName): MountProblem[] {
  const missing = jobs.flatMap((mounts) => missingVolumes(mounts, volumes));
  if (missing.length > 0) return missing.filter(({ message }, at) => missing.findIndex((each) => each.message === message) === at); // prettier-ignore
  for (const mounts of jobs) {
    const problem = problemOfJob(mounts, volumes);
    if (problem !== null) return [problem];
  }
  return sharedProblem(jobs, volumes);
}

/** Where a problem stands in the mounts of a configuration. */
export function placeOfMountProblem(mounts: readonly Mount[], { mount, name }: MountProblem): (string | number)[] {
  const ofNetwork = mounts.flatMap((each, index) =>
    'name' in each ? [{ index, isList: Array.isArray(each.name) }] : [],
  );
  const found = ofNetwork[mount];
  if (found === undefined) return [];
  return [found.index, 'name', ...(name !== null && found.isList ? [name] : [])];
}

function missingVolumes(mounts: readonly NetworkMount[], volumes: VolumesByName): MountProblem[] {
  return mounts.flatMap(({ names }, mount) =>
    names.flatMap((volume, name) =>
      volumes.has(volume)
        ? []
        : [{ message: `Volume ${volume} does not exist. Create it first: dstack apply -f <its file>`, mount, name }],
    ),
  );
}

function problemOfJob(mounts: readonly NetworkMount[], volumes: VolumesByName): MountProblem | null {
  for (const [mount, { names }] of mounts.entries()) {
    const facts = names.flatMap((name) => volumes.get(name) ?? []);
    if (facts.length > 0 && facts.every(isLost)) return { message: facts.map(whyLost).join('; '), mount, name: null };
  }
  const all = mounts.flatMap(({ names }, mount) => names.map((volume, name) => ({ volume, mount, name })));
  const twice = all.find(({ volume }, index) => all.findIndex((each) => each.volume === volume) !== index);
  if (twice === undefined) return placesProblem(mounts, volumes);
  return { message: `Volume ${twice.volume} is mounted twice`, mount: twice.mount, name: twice.name };
}

function isLost({ status, deletionRequested }: VolumeFact): boolean {
  return status === 'failed' || status === 'deleting' || deletionRequested;
}

function whyLost({ name, status, statusMessage }: VolumeFact): string {
  return status === 'failed'
    ? `Volume ${name} failed${statusMessage === null ? '' : `: ${statusMessage}`}. Delete it and create it again`
    : `Volume ${name} is being deleted`;
}

/** Wherever the job can be by one mount, it must find a volume for the others. */
function placesProblem(mounts: readonly NetworkMount[], volumes: VolumesByName): MountProblem | null {
  const placesOf = ({ names }: NetworkMount): string =>
    [...new Set(names.flatMap((name) => regionOf(volumes.get(name))))].sort().join(', ');
  const [first] = mounts;
  if (first === undefined) return null;
  const mount = mounts.findIndex((each) => placesOf(each) !== placesOf(first));
  const other = mounts[mount];
  if (other === undefined) return null;
  const message =
    `Volumes of all mounts must be in the same backends and regions: ` +
    `${first.path} is in ${placesOf(first)}, ${other.path} in ${placesOf(other)}`;
  return { message, mount, name: null };
}

function regionOf(volume: VolumeFact | undefined): string[] {
  return volume === undefined ? [] : [`${volume.backend} ${volume.region.toLowerCase()}`];
}

/** Jobs that run at the same time are on different machines. */
function sharedProblem(jobs: readonly (readonly NetworkMount[])[], volumes: VolumesByName): MountProblem[] {
  if (jobs.length < 2) return [];
  const users = new Map<string, number>();
  for (const name of jobs.flatMap((mounts) => mounts.flatMap((mount) => mount.names)))
    users.set(name, (users.get(name) ?? 0) + 1);
  const isShared = (name: string): boolean => (users.get(name) ?? 0) > 1 && volumes.get(name)?.attachable === true;
  const [first = []] = jobs;
  const mount = first.findIndex(({ names }) => names.some(isShared));
  const volume = first[mount]?.names.find(isShared);
  if (volume === undefined) return [];
  const message =
    `Volume ${volume} can be at one machine at a time, and ${users.get(volume) ?? 0} jobs of this run mount it. ` +
    `Name one for each: ${volume}-\${{ dstack.node_rank }}`;
  return [{ message, mount, name: first[mount]?.names.indexOf(volume) ?? null }];
}
