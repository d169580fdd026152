import { nodesRequired } from '../jobs/job-groups.js';
import { jobVolumes, type Mount } from '../jobs/volume-mounts.js';
import type * as Wire from '../wire/generated/api.js';

/** A place in the job, and the volumes of which one is to be there. */
export interface NetworkMount {
  readonly names: readonly string[];
  readonly path: string;
}

export function networkMounts(mounts: readonly Mount[] | null | undefined): NetworkMount[] {
  return (mounts ?? []).flatMap((mount) =>
    'name' in mount ? [{ names: Array.isArray(mount.name) ? mount.name : [mount.name], path: mount.path }] : [],
  );
}

/** Of each job that a run has at the least, at the same time. */
export function runMounts(configuration: Wire.RunSpec['configuration']): NetworkMount[][] {
  const mounts = configuration.volumes;
  if (!(mounts ?? []).some((mount) => 'name' in mount)) return [];
  // Every replica of a service is the only node of its own.
  const isService = configuration.type === 'service';
  const jobs = Math.max(1, nodesRequired(configuration));
  return Array.from({ length: jobs }, (_, num) => networkMounts(jobVolumes(mounts, isService ? 0 : num)));
}

export function mountsVolumes({ volumes }: Pick<Wire.JobSpec, 'volumes'>): boolean {
  return (volumes ?? []).some((mount) => 'name' in mount);
}
