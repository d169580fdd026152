import { createHash } from 'node:crypto';
import type { GatewayPaths } from './gateway-paths.js';

const LOADERS = { x86: 'ld-linux-x86-64.so.2', arm: 'ld-linux-aarch64.so.1' } as const;
const RESTART_SECONDS = 3;
/** A shell that may not raise its limit ends, whatever follows: another one tries first. */
export const MANY_FILES = '(ulimit -n 1048576) 2>/dev/null && ulimit -n 1048576 || :';

export interface GatewaySupervisor {
  readonly kind: 'systemd' | 'loop';
  readonly path: string;
  readonly text: string;
  /** Tells whether the file on the host is still the one wanted. */
  readonly mark: string;
}

export interface SupervisedGateway {
  readonly paths: GatewayPaths;
  readonly arch: 'x86' | 'arm';
  readonly systemd: boolean;
  /** Who logs in. */
  readonly uid: number;
}

export function gatewayCommand(folder: string, arch: 'x86' | 'arm'): string {
  return `${folder}/lib/${LOADERS[arch]} --library-path ${folder}/lib ${folder}/node ${folder}/gateway.cjs`;
}

/** Its own program with what it needs to know of this host. */
export function gatewayProgram(
  { paths, arch, uid }: Omit<SupervisedGateway, 'systemd'>,
  verb: 'start' | 'stop',
): string {
  const access = uid === 0 ? '' : ` --socket-user ${uid}`;
  return `${gatewayCommand(paths.current, arch)} ${verb} --dir ${paths.state}${access}`;
}

/** What keeps the gateway running on the host: systemd, or a loop in sh where there is none. */
export function gatewaySupervisor(gateway: SupervisedGateway): GatewaySupervisor {
  const { paths, systemd } = gateway;
  const start = gatewayProgram(gateway, 'start');
  if (systemd) return marked('systemd', paths.unitFile, '', unitText(paths, start, gatewayProgram(gateway, 'stop')));
  return marked('loop', paths.loop, '#!/bin/sh\n', loopText(paths, start));
}

function marked(kind: 'systemd' | 'loop', path: string, head: string, body: string): GatewaySupervisor {
  const mark = createHash('sha256').update(body).digest('hex').slice(0, 16);
  return { kind, path, mark, text: `${head}# dstack-mark: ${mark}\n${body}` };
}

// As the program's own `unit` prints it. KillMode: nginx serves while another version of the program comes up.
function unitText({ unit, state }: GatewayPaths, start: string, stop: string): string {
  return `[Unit]
Description=dstack gateway (${unit})
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=forking
PIDFile=${state}/gateway.pid
ExecStart=${start}
ExecReload=${start}
ExecStop=${stop}
KillMode=process
Restart=always
RestartSec=${RESTART_SECONDS}
TimeoutStartSec=90
TasksMax=infinity
LimitNOFILE=1048576

[Install]
WantedBy=multi-user.target
`;
}

/** The program starts another one in its place by itself; this looks after one that has ended. */
function loopText({ state, loopPid, log }: GatewayPaths, start: string): string {
  return `cd /
umask 022
(umask 077; echo $$ > ${loopPid})
${MANY_FILES}
while :; do
  sleep ${RESTART_SECONDS}
  pid=$(cat ${state}/gateway.pid 2>/dev/null || echo none)
  if [ ! -d "/proc/$pid" ]; then ${start} </dev/null >> ${log} 2>&1 || :; fi
done
`;
}
