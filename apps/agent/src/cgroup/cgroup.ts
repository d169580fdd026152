/** The directories of one control group. */
export type Cgroup =
  | { readonly version: 2; readonly dir: string }
  | { readonly version: 1; readonly cpu: string; readonly cpuacct: string; readonly memory: string };

/** A container's own, as it sees it. Which version it has is told by the files that are there. */
export const CONTAINER_CGROUPS: readonly Cgroup[] = [
  { version: 2, dir: '/sys/fs/cgroup' },
  {
    version: 1,
    cpu: '/sys/fs/cgroup/cpu',
    cpuacct: '/sys/fs/cgroup/cpuacct',
    memory: '/sys/fs/cgroup/memory',
  },
];

export function cgroupDirs(cgroup: Cgroup): string[] {
  return cgroup.version === 2 ? [cgroup.dir] : [...new Set([cgroup.cpu, cgroup.cpuacct, cgroup.memory])];
}

export function childCgroup(parent: Cgroup, name: string): Cgroup {
  const below = (dir: string): string => `${dir.replace(/\/$/, '')}/${name}`;
  return parent.version === 2
    ? { version: 2, dir: below(parent.dir) }
    : { version: 1, cpu: below(parent.cpu), cpuacct: below(parent.cpuacct), memory: below(parent.memory) };
}
