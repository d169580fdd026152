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

/** The job uses the ports of the machine this command runs on: they are there without any forwarding. Pure. */
export function isOnThisMachine(job: Wire.Job): boolean {
  const submission = job.job_submissions.at(-1);
  const hostname = submission?.job_provisioning_data?.hostname ?? '';
  return isLoopback(hostname) && submission?.job_runtime_data?.network_mode === 'host';
}

export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname === '::1' || hostname.startsWith('127.');
}
