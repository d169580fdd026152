/** Starts the gateway with the machine and after crashes; `systemctl reload` brings in what lies in the folder now. */
export function systemdUnit(command: string, dir: string): string {
  return `[Unit]
Description=dstack gateway
After=network-online.target
Wants=network-online.target

[Service]
# The program that serves is another one after each reload: it writes its number before the former one ends.
Type=forking
PIDFile=${dir}/gateway.pid
ExecStart=${command} start --dir ${dir}
ExecReload=${command} start --dir ${dir}
ExecStop=${command} stop --dir ${dir}
# nginx goes on serving while the program is replaced.
KillMode=process
Restart=always
RestartSec=1
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`;
}
