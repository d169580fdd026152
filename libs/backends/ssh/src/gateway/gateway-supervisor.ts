import { createHash } from 'node:crypto';
import type { GatewayPaths } from './gateway-paths.js';

const LOADERS = { x86: 'ld-linux-x86-64.so.2', arm: 'ld-linux-aarch64.so.1' } as const;
const RESTART_SECONDS = 3;

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

/** What keeps the gateway running on the host: systemd, or a loop in sh where there is none. */
export function gatewaySupervisor({ paths, arch, systemd, uid }: SupervisedGateway): GatewaySupervisor {
  const access = uid === 0 ? '' : ` --socket-user ${uid}`;
  const command = `${gatewayCommand(paths.current, arch)} serve --dir ${paths.state}${access}`;
  if (systemd) return marked('systemd', paths.unitFile, '', unitText(paths, command));
  return marked('loop', paths.loop, '#!/bin/sh\n', loopText(paths, command));
}

function marked(kind: 'systemd' | 'loop', path: string, head: string, body: string): GatewaySupervisor {
  const mark = createHash('sha256').update(body).digest('hex').slice(0, 16);
  return { kind, path, mark, text: `${head}# dstack-mark: ${mark}\n${body}` };
}

// KillMode: nginx serves while another version of the program comes up.
function unitText({ unit }: GatewayPaths, command: string): string {
  return `[Unit]
Description=dstack gateway (${unit})
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=simple
ExecStart=${command}
Restart=always
RestartSec=${RESTART_SECONDS}
KillMode=process
TasksMax=infinity
LimitNOFILE=1048576

[Install]
WantedBy=multi-user.target
`;
}

function loopText({ log, loopPid }: GatewayPaths, command: string): string {
  return `cd /
umask 022
(umask 077; echo $$ > ${loopPid})
ulimit -n 1048576 2>/dev/null || :
while :; do
  if [ -s ${log} ] && [ "$(wc -c < ${log})" -gt 1048576 ]; then : > ${log}; fi
  if ${command} </dev/null >> ${log} 2>&1; then continue; fi
  sleep ${RESTART_SECONDS}
done
`;
}
