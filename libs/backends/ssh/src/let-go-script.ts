import type { HostPaths } from './host-paths.js';
import { uninstallFunction } from './uninstall-script.js';

/** The host was let go for the instance that this was to be done for. */
export const LET_GO = 96;
/** It has become another instance's since. */
export const OTHERS = 95;

/** Where it is written down that the host is not the instance's any more: what was meant for it and comes late finds it, and does nothing. */
export interface LetGo {
  readonly instance: string;
  readonly directory: string;
  readonly mark: string;
  /** Names the instance that has the host. */
  readonly tenant: string;
}

/** In `/run`: no visit that was under way outlives a restart of the host either, as its connection does not. */
export function letGoOf({ state, keyMark }: HostPaths, instance: string): LetGo {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(instance)) throw new RangeError(`'${instance}' is no id of an instance`);
  const directory = `/run/${keyMark}-let-go`;
  return { instance, directory, mark: `${directory}/${instance}`, tenant: `${state}/instance` };
}

/**
 * What puts something on the host. The removal writes its mark before it removes anything, so whoever does not find it at its end was
 * finished before, and whoever does removes what it has done: no lock is needed, and nothing is left whoever of the two is slow.
 */
export function unlessLetGo(paths: HostPaths, instance: string, script: string): string {
  const { mark } = letGoOf(paths, instance);
  // Not in a condition: there `set -e` means nothing.
  return `
if [ -e ${mark} ]; then exit ${LET_GO}; fi
put() (
set -eu
${script}
)
set +e
put
status=$?
set -e
if [ -e ${mark} ]; then
${uninstallFunction(paths)}
  uninstall >/dev/null
  exit ${LET_GO}
fi
exit $status
`;
}

/** Marks the host as let go, and removes everything unless another instance has it meanwhile. Exits with {@link OTHERS} then. */
export function letGoScript(paths: HostPaths, instance: string): string {
  const { directory, mark, tenant } = letGoOf(paths, instance);
  return `
(umask 077; mkdir -p ${directory}; : > ${mark}) || :
if [ -e ${tenant} ]; then
  read -r has < ${tenant} || :
  if [ "$has" != ${instance} ]; then exit ${OTHERS}; fi
fi
${uninstallFunction(paths)}
uninstall
`;
}
