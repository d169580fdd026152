import { endProcess } from './end-process-script.js';
import { AGENTS_DIR, type HostPaths, STATES_DIR } from './host-paths.js';
import { agentLetGo } from './agent-let-go.js';
import { pruneFolders } from './prune-folders-script.js';
import { shellQuote } from './shell-quote.js';
import { agentCommand, type MarkedFile, type Supervisor } from './supervisor.js';
import { uninstallScript } from './uninstall-script.js';

// All of these run as root, under `set -eu`.

export const DAMAGED = 3;
export const CANNOT_RUN = 5;
export const NOT_INSTALLED = 4;

export function incomingFolder({ keyMark }: HostPaths): string {
  return `${AGENTS_DIR}/.incoming-${keyMark}`;
}

export function prepareUploadScript(paths: HostPaths): string {
  const incoming = incomingFolder(paths);
  return `
mkdir -p ${AGENTS_DIR}
rm -rf ${incoming}
mkdir ${incoming}
`;
}

export function discardUploadScript(paths: HostPaths): string {
  return `rm -rf ${incomingFolder(paths)}`;
}

export interface ArrivedAgent {
  readonly folder: string;
  readonly digest: string;
  readonly arch: 'x86' | 'arm';
}

/** Gives the folder its name once every file in it is the one that was sent, and its program runs on this host. */
export function acceptUploadScript(paths: HostPaths, { folder, digest, arch }: ArrivedAgent): string {
  const incoming = incomingFolder(paths);
  return `
cd ${incoming}
if command -v sha256sum >/dev/null 2>&1; then
  case $(sha256sum MANIFEST) in ${digest}*) ;; *) echo 'what arrived is not what was sent' >&2; exit ${DAMAGED} ;; esac
  sha256sum -c MANIFEST >/dev/null 2>&1 || { echo 'a file of the agent arrived damaged' >&2; exit ${DAMAGED}; }
fi
if command -v chcon >/dev/null 2>&1; then chcon -R -t bin_t . 2>/dev/null || :; fi
cd /
${agentCommand(incoming, arch)} --version >/dev/null || exit ${CANNOT_RUN}
rm -rf ${folder}
mv ${incoming} ${folder}
chmod 555 ${folder}
`;
}

export interface AppliedInstallation {
  readonly owner: string;
  readonly instance: string;
  readonly folder: string;
  readonly supervisor: Supervisor;
  /** Null: as it is on the host. */
  readonly env: MarkedFile | null;
}

/** Puts the files in place, makes the folder the one in use, and starts its agent instead of one that runs. Jobs go on. */
export function applyScript(
  paths: HostPaths,
  { owner, instance, folder, supervisor, env }: AppliedInstallation,
): string {
  const { state, current } = paths;
  return `
# Somebody else's directory of that name stays as it is, but that one can pass through it to the socket.
if [ -d ${STATES_DIR} ]; then chmod a+x ${STATES_DIR}; else mkdir -p -m 711 ${STATES_DIR}; fi
if [ ! -d ${state} ]; then mkdir ${state}; fi
chmod 711 ${state}
${writeFile(`${state}/owner`, `${owner}\n`, 600)}
${writeFile(agentLetGo(paths, instance).tenant, `${instance}\n`, 600)}
${writeFile(paths.uninstaller, uninstallScript(paths), 600)}
${env === null ? '' : writeFile(env.path, env.text, 600)}
${writeFile(supervisor.file.path, supervisor.file.text, supervisor.kind === 'systemd' ? 644 : 600)}
: >> ${state}/agent.log
chmod 600 ${state}/agent.log
rm -f ${current}.new
ln -s ${folder} ${current}.new
mv -f -T ${current}.new ${current} 2>/dev/null || { rm -f ${current}; mv ${current}.new ${current}; }
${restart(paths, supervisor)}
${pruneFolders()}
`;
}

/** For a host that has been started anew: what is installed, unless it runs. Exits with {@link NOT_INSTALLED} when nothing is. */
export function startScript(paths: HostPaths): string {
  return `
if [ -d /run/systemd/system ] && [ -e ${paths.unitFile} ]; then
  systemctl start ${paths.unit}
elif [ -e ${paths.loop} ]; then
  ${startLoop(paths)}
else
  echo 'no agent is installed' >&2
  exit ${NOT_INSTALLED}
fi
`;
}

/** `listening` or `silent`, how often the agent has failed, and what a person would look at when it does not answer. */
export function diagnoseScript({ socket, unit, state, loopFailures }: HostPaths): string {
  return `
if grep -q ' 00010000 .* ${socket}$' /proc/net/unix; then echo listening; else echo silent; fi
if [ -d /run/systemd/system ]; then
  systemctl show --property NRestarts --value ${unit} 2>/dev/null || echo
  journalctl --unit ${unit} --lines 15 --no-pager --output cat 2>/dev/null || systemctl status ${unit} 2>&1 | tail -n 15 || :
else
  cat ${loopFailures} 2>/dev/null || echo
  tail -n 15 ${state}/agent.log 2>/dev/null || :
fi
`;
}

function restart(paths: HostPaths, { kind }: Supervisor): string {
  if (kind === 'systemd')
    return `
systemctl daemon-reload
systemctl enable --quiet ${paths.unit}
systemctl restart ${paths.unit}
`;
  return `
${endProcess(paths.loopPid, paths.loop)}
${endProcess(`${paths.state}/agent.pid`, paths.state)}
rm -f ${paths.loopFailures}
${startLoop(paths)}
`;
}

/** In a session and with an environment of its own: it outlives the connection. */
function startLoop({ loop, loopPid }: HostPaths): string {
  const environment =
    'env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8';
  return `
  if ! { [ -e ${loopPid} ] && grep -qs ${loop} "/proc/$(cat ${loopPid})/cmdline"; }; then
    setsid ${environment} sh ${loop} </dev/null >/dev/null 2>&1 &
  fi
`;
}

/** Whoever reads it sees the old text or the new one. */
function writeFile(path: string, text: string, mode: number): string {
  return `
(umask 077; printf %s ${shellQuote(text)} > ${path}.new)
chmod ${mode} ${path}.new
mv -f ${path}.new ${path}`;
}
