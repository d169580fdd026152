export interface UnitParts {
  /** The program, as a path that stays the same over updates. */
  readonly command: string;
  readonly dir: string;
  /** Passed on to it. */
  readonly flags: readonly string[];
}

/** Starts the gateway with the machine and after crashes; `systemctl reload` brings in what the command's path leads to now. */
export function systemdUnit({ command, dir, flags }: UnitParts): string {
  const line = (verb: string): string => [command, verb, ...flags].map(systemdWord).join(' ');
  return `[Unit]
Description=dstack gateway
After=network-online.target
Wants=network-online.target

[Service]
# The program that serves is another one after each reload: it writes its number before the former one ends.
Type=forking
PIDFile=${dir}/gateway.pid
ExecStart=${line('start')}
ExecReload=${line('start')}
ExecStop=${line('stop')}
# nginx goes on serving while the program is replaced.
KillMode=process
Restart=always
RestartSec=1
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`;
}

function systemdWord(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%$:,./+=[\]-]+$/.test(plain) ? plain : `"${plain.replace(/[\\"]/g, '\\$&')}"`;
}
