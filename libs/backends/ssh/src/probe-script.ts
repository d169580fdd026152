import { AGENTS_DIR, type HostPaths, STATES_DIR } from './host-paths.js';

const SAY = `say() { printf '%s=%s\\n' "$1" "$(printf %s "$2" | tr '\\n\\r' '  ')"; }`;

/** Prints `key=value` lines for everything that decides whether and how the agent is put on the host. Needs nothing but busybox. */
export function probeScript(paths: HostPaths): string {
  return `
${SAY}
say kernel "$(uname -s)"
say machine "$(uname -m)"
say uid "$(id -u)"
say user "$(id -un 2>/dev/null || id -u)"
if [ "$(id -u)" -eq 0 ]; then
  become=
else
  become='sudo -n'
  if ! answer=$(sudo -n true 2>&1); then
    say no_sudo "$answer"
    return 0
  fi
fi
$become sh -s <<'AS_ROOT'
probe() (
${asRoot(paths)}
)
probe </dev/null
AS_ROOT
`;
}

function asRoot({ state, socket, current, env, loop, unitFile }: HostPaths): string {
  return `
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
${SAY}
has() { command -v "$1" >/dev/null 2>&1; }
mark() { sed -n 's/^# dstack-mark: //p' "$1" 2>/dev/null | head -n 1; }
free_kib() {
  directory=$1
  while [ ! -d "$directory" ]; do directory=$(dirname "$directory"); done
  df -Pk "$directory" 2>/dev/null | { free=; while read -r _ _ _ column _; do free=$column; done; echo "$free"; }
}

if [ -d /run/systemd/system ] && has systemctl; then say systemd yes; fi
say agent_free_kib "$(free_kib ${AGENTS_DIR})"
say data_free_kib "$(free_kib ${state})"

for directory in ${STATES_DIR}/*/; do
  if [ -f "$directory/owner" ]; then say installation "$(basename "$directory") $(cat "$directory/owner")"; fi
done
if ls -l /proc/[0-9]*/exe 2>/dev/null | grep -q '/dstack-shim'; then say shim yes; fi

if [ -e /dev/nvidiactl ]; then
  say gpu nvidia
elif [ -e /dev/dxg ] && [ -e /usr/lib/wsl/lib/nvidia-smi ]; then
  say gpu nvidia
  PATH=$PATH:/usr/lib/wsl/lib
else
  # A processor without a display (class 0302) is there to compute: that its driver is missing is a mistake.
  for vendor in $(grep -ls 0x10de /sys/bus/pci/devices/*/vendor); do
    case $(cat "\${vendor%/vendor}/class") in 0x0302*) say gpu nvidia; break ;; esac
  done
fi
if [ -e /dev/kfd ]; then say gpu amd; fi
if [ -e /dev/tenstorrent ]; then say gpu tenstorrent; fi
if [ -e /dev/accel ] && has hl-smi; then say gpu intel; fi
if has nvidia-smi; then
  limit=
  if has timeout; then limit='timeout 30'; fi
  # shellcheck disable=SC2086
  answer=$($limit nvidia-smi -L 2>&1) || say nvidia_smi "exit code $?: $answer"
else
  say nvidia_smi 'nvidia-smi is not installed'
fi

for directory in ${AGENTS_DIR}/*/; do
  if [ -d "$directory" ]; then say folder "$(basename "$directory")"; fi
done
say current "$(basename "$(readlink ${current} 2>/dev/null)" 2>/dev/null)"
say unit_mark "$(mark ${unitFile})"
say loop_mark "$(mark ${loop})"
say env_mark "$(mark ${env})"
say instance "$(cat ${state}/instance 2>/dev/null)"
if grep -q ' 00010000 .* ${socket}$' /proc/net/unix; then say listening yes; fi
say now "$(date +%s)"
`;
}
