import type { Wire } from '@dstack/core';

export interface SshHostEntry {
  readonly alias: string;
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  readonly proxyJump?: string | undefined;
}

const CONTAINER_SSH_PORT = 10_022;

/** The names `ssh` shall know for a job: the job itself, and the machines on the way to it. Pure. */
export function hostEntries(alias: string, job: Wire.Job): SshHostEntry[] {
  const submission = job.job_submissions.at(-1);
  const machine = submission?.job_provisioning_data;
  if (!submission || !machine?.hostname) return [];
  const runtime = submission.job_runtime_data;
  const proxy = job.job_connection_info;
  if (proxy?.sshproxy_hostname && proxy.sshproxy_upstream_id)
    return [
      { alias, hostName: proxy.sshproxy_hostname, port: proxy.sshproxy_port ?? 22, user: proxy.sshproxy_upstream_id },
    ];
  const entries: SshHostEntry[] = [];
  const jump = machine.ssh_proxy;
  const jumpAlias = `${alias}-jump-host`;
  if (jump) entries.push({ alias: jumpAlias, hostName: jump.hostname, port: jump.port, user: jump.username });
  const host = { hostName: machine.hostname, port: machine.ssh_port ?? 22, proxyJump: jump ? jumpAlias : undefined };
  if (!machine.dockerized) return [...entries, { ...host, alias, user: runtime?.username ?? machine.username }];
  const hostAlias = `${alias}-host`;
  const port = runtime?.ports?.[String(CONTAINER_SSH_PORT)] ?? CONTAINER_SSH_PORT;
  return [
    ...entries,
    { ...host, alias: hostAlias, user: machine.username },
    { alias, hostName: 'localhost', port, user: runtime?.username ?? 'root', proxyJump: hostAlias },
  ];
}

/** The text of entries in an OpenSSH configuration. Pure. */
export function renderHostEntries(entries: readonly SshHostEntry[], identityFile: string): string {
  return entries
    .map((entry) =>
      [
        `Host ${entry.alias}`,
        `    HostName ${entry.hostName}`,
        `    Port ${entry.port}`,
        `    User ${entry.user}`,
        `    IdentityFile "${identityFile}"`,
        '    IdentitiesOnly yes',
        '    StrictHostKeyChecking no',
        '    UserKnownHostsFile /dev/null',
        '    LogLevel ERROR',
        ...(entry.proxyJump === undefined ? [] : [`    ProxyJump ${entry.proxyJump}`]),
        '',
      ].join('\n'),
    )
    .join('\n');
}

/** A configuration without the blocks of some aliases. Pure. */
export function withoutHosts(config: string, aliases: ReadonlySet<string>): string {
  const blocks = config.split(/^(?=Host )/m);
  return blocks.filter((block) => !aliases.has(/^Host (\S+)/.exec(block)?.[1] ?? '')).join('');
}
