import { runSpecIssue } from '../runs/run-spec-error.js';
import type * as Wire from '../wire/generated/api.js';

export type Mount = Wire.VolumeMountPoint | Wire.InstanceMountPoint;

/** The mounts of one job: volume names may hold `${{ dstack.node_rank }}` (or `dstack.job_num`). */
export function jobVolumes(mounts: readonly Mount[] | undefined, jobNum: number): Mount[] {
  return (mounts ?? []).map((mount) => {
    if (!('name' in mount)) return mount;
    const { name } = mount;
    return {
      ...mount,
      name: Array.isArray(name) ? name.map((each) => rankedName(each, jobNum)) : rankedName(name, jobNum),
    };
  });
}

function rankedName(name: string, jobNum: number): string {
  return name.replace(/\$\{\{(.*?)\}\}/g, (whole, inside: string) => {
    const variable = inside.trim();
    if (variable === 'dstack.node_rank' || variable === 'dstack.job_num') return String(jobNum);
    throw runSpecIssue(
      ['configuration', 'volumes'],
      `unknown ${whole} in volume name '${name}'; use \${{ dstack.node_rank }}`,
    );
  });
}

/** What is wrong with the target of a mount, null when nothing is. */
export function mountPathProblem(path: string): string | null {
  if (!path.startsWith('/')) return `volume path '${path}' must be absolute`;
  if (path !== '/' && path.endsWith('/')) return `volume path '${path}' must not end with '/'`;
  if (path.split('/').includes('..')) return `volume path '${path}' must not contain '..'`;
  return null;
}
