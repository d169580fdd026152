/** The host was let go for whom this was to be done for. */
export const LET_GO = 96;
/** It has become somebody else's since. */
export const OTHERS = 95;

/** Where it is written down that the host is not somebody's any more: what was meant for him and comes late finds it, and does nothing. */
export interface LetGo {
  /** Of the instance, or of the replica of a gateway. */
  readonly id: string;
  readonly directory: string;
  readonly mark: string;
  /** Names who has the host. */
  readonly tenant: string;
  /** Defines `uninstall`, which removes everything that was put there for him. */
  readonly uninstallFunction: string;
}

/** The mark is in `/run`: no visit that was under way outlives a restart of the host either, as its connection does not. */
export function letGoOf(given: Omit<LetGo, 'mark'>): LetGo {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(given.id)) throw new RangeError(`'${given.id}' is no id of an instance or replica`);
  return { ...given, mark: `${given.directory}/${given.id}` };
}

/**
 * What puts something on the host. The removal writes its mark before it removes anything, so whoever does not find it at its end was
 * finished before, and whoever does removes what it has done: no lock is needed, and nothing is left whoever of the two is slow.
 */
export function unlessLetGo({ mark, uninstallFunction }: LetGo, script: string): string {
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
${uninstallFunction}
  uninstall >/dev/null
  exit ${LET_GO}
fi
exit $status
`;
}

/** Marks the host as let go, and removes everything unless somebody else has it meanwhile. Exits with {@link OTHERS} then. */
export function letGoScript({ id, directory, mark, tenant, uninstallFunction }: LetGo): string {
  return `
(umask 077; mkdir -p ${directory}; : > ${mark}) || :
if [ -e ${tenant} ]; then
  read -r has < ${tenant} || :
  if [ "$has" != ${id} ]; then exit ${OTHERS}; fi
fi
${uninstallFunction}
uninstall
`;
}
