import type * as Wire from '../wire/generated/api.js';
import { IDE_NAMES, ideLink } from './ide-link.js';

export interface ConnectionFacts {
  readonly configuration: Wire.RunSpec['configuration'];
  readonly runName: string;
  readonly job: Pick<Wire.JobSpec, 'job_name' | 'job_num' | 'replica_num'>;
  /** As the agent resolved it. */
  readonly workingDir: string;
  /** In front of the server; by its id it knows the job. */
  readonly proxy?: SshProxy & { readonly upstreamId: string };
}

export interface SshProxy {
  readonly hostname: string;
  readonly port: number | null;
}

/** The name `ssh` knows a job by while somebody is attached to it: the run's own for its first job. */
export function sshName(runName: string, job: ConnectionFacts['job']): string {
  return (job.replica_num ?? 0) === 0 && job.job_num === 0 ? runName : job.job_name;
}

/** How to get into a job that runs. The proxied ways need an SSH proxy in front of the server. */
export function jobConnectionInfo({
  configuration,
  runName,
  job,
  workingDir,
  proxy,
}: ConnectionFacts): Wire.JobConnectionInfo {
  const name = sshName(runName, job);
  const ide = configuration.type === 'dev-environment' ? (configuration.ide ?? null) : null;
  return {
    ide_name: ide === null ? null : IDE_NAMES[ide],
    attached_ide_url: ide === null ? null : ideLink(ide, name, workingDir),
    proxied_ide_url: ide === null || proxy === undefined ? null : ideLink(ide, addressOf(proxy), workingDir),
    attached_ssh_command: ['ssh', name],
    proxied_ssh_command: proxy === undefined ? null : sshCommand(proxy),
    sshproxy_hostname: proxy?.hostname ?? null,
    sshproxy_port: proxy?.port ?? null,
    sshproxy_upstream_id: proxy?.upstreamId ?? null,
  };
}

type Proxy = NonNullable<ConnectionFacts['proxy']>;

function sshCommand({ hostname, port, upstreamId }: Proxy): string[] {
  return ['ssh', ...(port === null ? [] : ['-p', String(port)]), `${upstreamId}@${hostname}`];
}

function addressOf({ hostname, port, upstreamId }: Proxy): string {
  return `${upstreamId}@${hostname}${port === null ? '' : `:${port}`}`;
}
