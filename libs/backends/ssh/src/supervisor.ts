import { createHash } from 'node:crypto';
import type { HostPaths } from './host-paths.js';

/** A text file of the host whose comment tells whether it is still the one wanted. */
export interface MarkedFile {
  readonly path: string;
  readonly text: string;
  readonly mark: string;
}

export interface Supervisor {
  readonly kind: 'systemd' | 'loop';
  readonly file: MarkedFile;
}

export interface SupervisedAgent {
  readonly paths: HostPaths;
  readonly arch: 'x86' | 'arm';
  readonly systemd: boolean;
  /** Who logs in. */
  readonly uid: number;
}

const LOADERS = { x86: 'ld-linux-x86-64.so.2', arm: 'ld-linux-aarch64.so.1' } as const;
const RESTART_SECONDS = 3;

export function agentCommand(folder: string, arch: 'x86' | 'arm'): string {
  return `${folder}/lib/${LOADERS[arch]} --library-path ${folder}/lib ${folder}/node ${folder}/agent.cjs`;
}

/** What keeps the agent running on the host: systemd, or a loop in sh where there is none. */
export function supervisorOf({ paths, arch, systemd, uid }: SupervisedAgent): Supervisor {
  const access = uid === 0 ? '' : ` --socket-user ${uid}`;
  const command = `${agentCommand(paths.current, arch)} host --dir ${paths.state} --work-dir ${paths.state}/work${access}`;
  if (systemd) return { kind: 'systemd', file: marked(paths.unitFile, '', unitText(paths, command)) };
  return { kind: 'loop', file: marked(paths.loop, '#!/bin/sh\n', loopText(paths, command)) };
}

/** Read by systemd and by sh alike: what is in double quotes, with these characters escaped, means the same to both. */
export function environmentFile(paths: HostPaths, env: Readonly<Record<string, string>>): MarkedFile {
  const lines = Object.entries(env).map(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new RangeError(`'${name}' is not a name of an environment variable`);
    return `${name}="${value.replaceAll(/["\\$`]/g, '\\$&')}"\n`;
  });
  return marked(paths.env, '', lines.join(''));
}

function marked(path: string, head: string, body: string): MarkedFile {
  const mark = createHash('sha256').update(body).digest('hex').slice(0, 16);
  return { path, mark, text: `${head}# dstack-mark: ${mark}\n${body}` };
}

// KillMode: jobs outlive the agent. TasksMax and LimitMEMLOCK: process jobs inherit what the unit may.
function unitText(paths: HostPaths, command: string): string {
  return `[Unit]
Description=dstack agent (${paths.keyMark})
After=network-online.target docker.service
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=simple
EnvironmentFile=-${paths.env}
ExecStart=${command}
Restart=always
RestartSec=${RESTART_SECONDS}
KillMode=process
TasksMax=infinity
LimitMEMLOCK=infinity

[Install]
WantedBy=multi-user.target
`;
}

/** An agent that was asked to end (exit code 0) makes room for another at once. */
function loopText(paths: HostPaths, command: string): string {
  const log = `${paths.state}/agent.log`;
  return `cd /
umask 022
(umask 077; echo $$ > ${paths.loopPid})
failures=0
while :; do
  if [ -s ${log} ] && [ "$(wc -c < ${log})" -gt 1048576 ]; then : > ${log}; fi
  if (set -a; [ ! -e ${paths.env} ] || . ${paths.env}; exec ${command}) </dev/null >> ${log} 2>&1; then continue; fi
  failures=$((failures + 1))
  (umask 077; echo $failures > ${paths.loopFailures})
  sleep ${RESTART_SECONDS}
done
`;
}
