import { DOOR_HOME, DOOR_USER } from '@dstack/agent-protocol';
import { endProcess } from './end-process-script.js';
import { AGENTS_DIR, type HostPaths, STATES_DIR } from './host-paths.js';
import { pruneFolders } from './prune-folders-script.js';

/** For a person whose server is no more: it lies beside the agent. */
export function uninstallScript(paths: HostPaths): string {
  return `#!/bin/sh
# Removes the dstack agent ${paths.keyMark}, its jobs and all of their files from this host: sudo sh ${paths.uninstaller}
${uninstallFunction(paths)}
uninstall
`;
}

/** Defines `uninstall`, which removes everything of one installation from a host. */
export function uninstallFunction(paths: HostPaths): string {
  const { state, unit, unitFile } = paths;
  return `uninstall() {
if [ -e ${unitFile} ]; then
  systemctl disable --quiet --now ${unit} || :
  rm -f ${unitFile}
  systemctl daemon-reload || :
fi
${endProcess(paths.loopPid, paths.loop)}
${endProcess(`${state}/agent.pid`, state)}
if [ -d ${state} ]; then
  # The agent knows its jobs best. Without it, what can be found of them is ended.
  for loader in ${state}/current/lib/ld-linux*; do
    "$loader" --library-path ${state}/current/lib ${state}/current/node ${state}/current/agent.cjs purge --dir ${state} || {
      label=$(cat ${state}/state/agent-id 2>/dev/null || :)
      if [ -n "$label" ] && command -v docker >/dev/null 2>&1; then
        docker ps --all --quiet --filter "label=ai.dstack.agent=$label" | while read -r id; do docker rm --force --volumes "$id" >/dev/null || :; done
      fi
    }
  done
  for each in $(grep -ls ${state}/jobs/ /proc/[0-9]*/cmdline); do
    each=\${each%/cmdline}
    kill -9 "\${each#/proc/}" 2>/dev/null || :
  done
fi
rm -rf ${state} ${AGENTS_DIR}/.incoming-${paths.keyMark}
${pruneFolders()}
rmdir ${AGENTS_DIR} /usr/local/lib/dstack ${STATES_DIR} 2>/dev/null || :
if [ ! -e ${STATES_DIR} ] && grep -q '^${DOOR_USER}:.*:${DOOR_HOME}:' /etc/passwd; then
  pkill -9 -u ${DOOR_USER} 2>/dev/null || :
  userdel --force ${DOOR_USER} 2>/dev/null || deluser ${DOOR_USER} 2>/dev/null || :
  groupdel ${DOOR_USER} 2>/dev/null || :
  rm -rf ${DOOR_HOME}
fi
}`;
}

/** As the user who logs in: takes this installation's keys out of their authorized_keys. */
export function forgetKeysScript({ keyMark }: HostPaths): string {
  return `
file=$HOME/.ssh/authorized_keys
if [ -f "$file" ] && grep -q '${keyMark}' "$file"; then
  kept=$(grep -v '${keyMark}' "$file")
  # Into the same file, so that it stays whose it is; an empty one gets no empty line.
  if [ -n "$kept" ]; then printf '%s\\n' "$kept" > "$file"; else : > "$file"; fi
fi
`;
}
