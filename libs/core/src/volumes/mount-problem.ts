import type { NetworkMount } from './network-mounts.js';
import type { VolumeFact, VolumesByName } from './volume-fact.js';

/** Why jobs cannot ever mount what they name, whatever comes free; null: they can. */
export function mountProblem(jobs: readonly (readonly NetworkMount[])[], volumes: VolumesByName): string | null {
  for (const mounts of jobs) {
    const problem = problemOfJob(mounts, volumes);
    if (problem !== null) return problem;
  }
  return sharedProblem(jobs, volumes);
}

function problemOfJob(mounts: readonly NetworkMount[], volumes: VolumesByName): string | null {
  const names = mounts.flatMap((mount) => mount.names);
  const missing = names.find((name) => !volumes.has(name));
  if (missing !== undefined) return `Volume ${missing} does not exist. Create it first: dstack apply -f <its file>`;
  for (const { names: alternatives } of mounts) {
    const facts = alternatives.flatMap((name) => volumes.get(name) ?? []);
    if (facts.length > 0 && facts.every(isLost)) return facts.map(whyLost).join('; ');
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return `Volume ${twice} is mounted twice`;
  return placesProblem(mounts, volumes);
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
function placesProblem(mounts: readonly NetworkMount[], volumes: VolumesByName): string | null {
  const placesOf = ({ names }: NetworkMount): string =>
    [...new Set(names.flatMap((name) => regionOf(volumes.get(name))))].sort().join(', ');
  const [first, ...others] = mounts;
  if (first === undefined) return null;
  const other = others.find((mount) => placesOf(mount) !== placesOf(first));
  if (other === undefined) return null;
  return (
    `Volumes of all mounts must be in the same backends and regions: ` +
    `${first.path} is in ${placesOf(first)}, ${other.path} in ${placesOf(other)}`
  );
}

function regionOf(volume: VolumeFact | undefined): string[] {
  return volume === undefined ? [] : [`${volume.backend} ${volume.region.toLowerCase()}`];
}

/** Jobs that run at the same time are on different machines. */
function sharedProblem(jobs: readonly (readonly NetworkMount[])[], volumes: VolumesByName): string | null {
  if (jobs.length < 2) return null;
  const users = new Map<string, number>();
  for (const name of jobs.flatMap((mounts) => mounts.flatMap((mount) => mount.names)))
    users.set(name, (users.get(name) ?? 0) + 1);
  const shared = [...users].find(([name, count]) => count > 1 && volumes.get(name)?.attachable === true);
  if (shared === undefined) return null;
  const [name] = shared;
  return (
    `Volume ${name} can be at one machine at a time, and ${users.get(name) ?? 0} jobs of this run mount it. ` +
    `Name one for each: ${name}-\${{ dstack.node_rank }}`
  );
}
