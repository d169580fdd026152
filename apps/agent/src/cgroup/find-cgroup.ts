import type { Cgroup } from './cgroup.js';

interface Mount {
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

/**
 * Where groups for jobs can be made: with version 1 below our own group, whose limits then hold for them too; with version 2 at the top, as
 * a group below our own may get no controllers while we are in it. Undefined where neither version has all controllers.
 * @param mountInfo text of `/proc/self/mountinfo`
 * @param ownGroups text of `/proc/self/cgroup`
 */
export function findCgroup(mountInfo: string, ownGroups: string): Cgroup | undefined {
  const mounts = mountInfo.split('\n').flatMap((line) => parseMount(line) ?? []);
  const [cpu, cpuacct, memory] = ['cpu', 'cpuacct', 'memory'].map((controller) => {
    const mount = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller));
    return mount === undefined ? undefined : ownDirectory(mount, controller, ownGroups);
  });
  if (cpu !== undefined && cpuacct !== undefined && memory !== undefined) return { version: 1, cpu, cpuacct, memory };
  if (mounts.some(({ type }) => type === 'cgroup')) return undefined;
  const unified = mounts.find(({ type }) => type === 'cgroup2');
  return unified === undefined ? undefined : { version: 2, dir: unified.point };
}

function ownDirectory(mount: Mount, controller: string, ownGroups: string): string {
  const line = ownGroups.split('\n').find((each) => each.split(':')[1]?.split(',').includes(controller) === true);
  const path = line?.split(':').slice(2).join(':') ?? '/';
  // In a container the hierarchy is mounted from where its own group is.
  const below = mount.root !== '/' && path.startsWith(mount.root) ? path.slice(mount.root.length) : path;
  return `${mount.point}/${below}`.replaceAll(/\/+/g, '/').replace(/(?<=.)\/$/, '');
}

function parseMount(line: string): Mount | undefined {
  const [before, after] = line.split(' - ');
  const [, , , root, point] = before?.split(' ') ?? [];
  const [type, , options] = after?.split(' ') ?? [];
  if (root === undefined || point === undefined || type === undefined) return undefined;
  return { root, point, type, options: options?.split(',') ?? [] };
}
