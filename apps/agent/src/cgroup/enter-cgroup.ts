import { type Cgroup, cgroupDirs } from './cgroup.js';

const ENTER = `
must=$1
shift
while [ "$1" != -- ]; do
  echo $$ > "$1" || { echo "the control group $1 cannot be entered" >&2; if [ "$must" = yes ]; then exit 1; fi; }
  shift
done
shift
exec "$@"`;

/**
 * Put before a command's argv; the process keeps its number. It enters the group by itself before it becomes the command: moved there from
 * outside a moment later, what it started meanwhile would stay outside, without a limit.
 * @param isMust whether the command is not to run outside
 */
export function enterCgroup(cgroup: Cgroup, isMust: boolean): string[] {
  const files = cgroupDirs(cgroup).map((dir) => `${dir}/cgroup.procs`);
  return ['sh', '-c', ENTER, 'dstack', isMust ? 'yes' : 'no', ...files, '--'];
}
