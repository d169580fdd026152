import { endProcess } from '../end-process-script.js';
import { shellQuote } from '../shell-quote.js';
import { gatewayCommand, type GatewaySupervisor, MANY_FILES } from './gateway-supervisor.js';
import { GATEWAYS_DIR, GATEWAY_STATES_DIR, type GatewayPaths } from './gateway-paths.js';

// All of these run as root, under `set -eu`.

export const DAMAGED = 3;
export const NOT_INSTALLED = 4;
export const CANNOT_RUN = 5;
export const NO_NGINX = 6;

/** `key=value` lines: what decides what is to be done to the host. */
export function lookScript(paths: GatewayPaths): string {
  return `
echo "kernel=$(uname -s)"
echo "machine=$(uname -m)"
if [ -d /run/systemd/system ]; then echo systemd=yes; fi
if command -v nginx >/dev/null 2>&1; then echo nginx=yes; fi
for each in ${GATEWAYS_DIR}/*/MANIFEST; do
  if [ -e "$each" ]; then each=\${each%/MANIFEST}; echo "folder=\${each##*/}"; fi
done
if [ -e ${paths.current} ]; then current=$(readlink ${paths.current}); echo "current=\${current##*/}"; fi
if [ -e ${paths.replica} ]; then echo "replica=$(cat ${paths.replica})"; fi
for each in ${paths.unitFile} ${paths.loop}; do
  if [ -e "$each" ]; then echo "mark=$(sed -n 's/^# dstack-mark: //p' "$each" | head -n 1)"; fi
done
if grep -q ' 00010000 .* ${paths.socket}$' /proc/net/unix; then echo listening=yes; fi
`;
}

/** From the host's own packages. Its default server is not ours, and would keep the ports: one that we brought is not started. */
export function nginxScript(): string {
  return `
if ! command -v nginx >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  if command -v apt-get >/dev/null 2>&1; then
    # A machine that has just been made may still be fetching its own packages.
    apt-get -o DPkg::Lock::Timeout=300 -qq update >/dev/null 2>&1 || :
    apt-get -o DPkg::Lock::Timeout=300 -qq install -y nginx >/dev/null 2>&1 || exit ${NO_NGINX}
  elif command -v dnf >/dev/null 2>&1; then dnf -q -y install nginx >/dev/null 2>&1 || exit ${NO_NGINX}
  elif command -v yum >/dev/null 2>&1; then yum -q -y install nginx >/dev/null 2>&1 || exit ${NO_NGINX}
  elif command -v apk >/dev/null 2>&1; then apk add -q nginx >/dev/null 2>&1 || exit ${NO_NGINX}
  else exit ${NO_NGINX}; fi
  if [ -d /run/systemd/system ]; then systemctl disable --quiet --now nginx 2>/dev/null || :; fi
  command -v nginx >/dev/null 2>&1 || exit ${NO_NGINX}
fi
`;
}

export function prepareUploadScript({ incoming }: GatewayPaths): string {
  return `
mkdir -p ${GATEWAYS_DIR}
rm -rf ${incoming}
mkdir ${incoming}
`;
}

export function discardUploadScript({ incoming }: GatewayPaths): string {
  return `rm -rf ${incoming}`;
}

export interface ArrivedGateway {
  readonly folder: string;
  readonly digest: string;
  readonly arch: 'x86' | 'arm';
}

/** Gives the folder its name once every file in it is the one that was sent, and its program runs on this host. */
export function acceptUploadScript({ incoming }: GatewayPaths, { folder, digest, arch }: ArrivedGateway): string {
  return `
cd ${incoming}
if command -v sha256sum >/dev/null 2>&1; then
  case $(sha256sum MANIFEST) in ${digest}*) ;; *) echo 'what arrived is not what was sent' >&2; exit ${DAMAGED} ;; esac
  sha256sum -c MANIFEST >/dev/null 2>&1 || { echo 'a file of the gateway arrived damaged' >&2; exit ${DAMAGED}; }
fi
if command -v chcon >/dev/null 2>&1; then chcon -R -t bin_t . 2>/dev/null || :; fi
cd /
${gatewayCommand(incoming, arch)} --version >/dev/null || exit ${CANNOT_RUN}
rm -rf ${folder}
mv ${incoming} ${folder}
chmod 555 ${folder}
`;
}

export interface AppliedGateway {
  readonly folder: string;
  /** The replica that it is for. */
  readonly replica: string;
  readonly supervisor: GatewaySupervisor;
  /** Command that starts the program in place of one that runs. */
  readonly start: string;
}

/** Makes the folder the one in use and starts its program instead of one that runs; nothing that is under way there is broken off. */
export function applyScript(paths: GatewayPaths, { folder, replica, supervisor, start }: AppliedGateway): string {
  const { state, current } = paths;
  return `
if [ -d ${GATEWAY_STATES_DIR} ]; then chmod a+x ${GATEWAY_STATES_DIR}; else mkdir -p -m 711 ${GATEWAY_STATES_DIR}; fi
if [ ! -d ${state} ]; then mkdir ${state}; fi
chmod 711 ${state}
(umask 077; echo ${shellQuote(replica)} > ${paths.replica}.new)
mv -f ${paths.replica}.new ${paths.replica}
(umask 077; printf %s ${shellQuote(supervisor.text)} > ${supervisor.path}.new)
chmod ${supervisor.kind === 'systemd' ? '644' : '600'} ${supervisor.path}.new
mv -f ${supervisor.path}.new ${supervisor.path}
: >> ${paths.log}
chmod 600 ${paths.log}
rm -f ${current}.new
ln -s ${folder} ${current}.new
mv -f -T ${current}.new ${current} 2>/dev/null || { rm -f ${current}; mv ${current}.new ${current}; }
${run(paths, supervisor.kind, start)}
${pruneScript()}
`;
}

/** For a host that has been started anew: what is installed, unless it runs. Exits with {@link NOT_INSTALLED} when nothing is. */
export function startScript(paths: GatewayPaths): string {
  return `
if [ -d /run/systemd/system ] && [ -e ${paths.unitFile} ]; then
  systemctl start ${paths.unit}
elif [ -e ${paths.loop} ]; then
  ${startLoop(paths)}
else
  echo 'no gateway is installed' >&2
  exit ${NOT_INSTALLED}
fi
`;
}

/** What a person would look at when the program does not answer. */
export function lastWordsScript({ unit, log }: GatewayPaths): string {
  return `
if [ -d /run/systemd/system ]; then
  journalctl --unit ${unit} --lines 15 --no-pager --output cat 2>/dev/null || systemctl status ${unit} 2>&1 | tail -n 15 || :
else
  tail -n 15 ${log} 2>/dev/null || :
fi
`;
}

/** Defines `uninstall`, which removes everything of one installation's gateway; nginx itself stays. */
export function uninstallGatewayFunction(paths: GatewayPaths): string {
  const { state, unit, unitFile, incoming } = paths;
  return `uninstall() {
if [ -e ${unitFile} ]; then
  systemctl disable --quiet --now ${unit} || :
  rm -f ${unitFile}
  systemctl daemon-reload || :
fi
${endProcess(paths.loopPid, paths.loop)}
for loader in ${paths.current}/lib/ld-linux*; do
  if [ -e "$loader" ]; then
    "$loader" --library-path ${paths.current}/lib ${paths.current}/node ${paths.current}/gateway.cjs stop --dir ${state} || :
  fi
done
rm -rf ${state} ${incoming}
${pruneScript()}
rmdir ${GATEWAYS_DIR} /usr/local/lib/dstack ${GATEWAY_STATES_DIR} 2>/dev/null || :
}`;
}

function pruneScript(): string {
  return `
for each in ${GATEWAYS_DIR}/*; do
  if [ ! -d "$each" ]; then continue; fi
  name=\${each##*/}
  if ls -l ${GATEWAY_STATES_DIR}/*/current 2>/dev/null | grep -q "/$name$"; then continue; fi
  if grep -qs "/gateway/$name/" /proc/[0-9]*/cmdline; then continue; fi
  rm -rf "$each"
done
`;
}

function run(paths: GatewayPaths, kind: 'systemd' | 'loop', start: string): string {
  if (kind === 'systemd')
    return `
systemctl daemon-reload
systemctl enable --quiet ${paths.unit}
if systemctl is-active --quiet ${paths.unit}; then systemctl reload ${paths.unit}; else systemctl restart ${paths.unit}; fi
`;
  return `
${endProcess(paths.loopPid, paths.loop)}
(${MANY_FILES}; ${start} </dev/null)
${startLoop(paths)}
`;
}

/** In a session and with an environment of its own: it outlives the connection. */
function startLoop({ loop, loopPid }: GatewayPaths): string {
  const environment =
    'env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8';
  return `
  if ! { [ -e ${loopPid} ] && grep -qs ${loop} "/proc/$(cat ${loopPid})/cmdline"; }; then
    setsid ${environment} sh ${loop} </dev/null >/dev/null 2>&1 &
  fi
`;
}
