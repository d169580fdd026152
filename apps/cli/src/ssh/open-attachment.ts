import { type Dstack, selectJob, selectSubmission, type Wire } from '@dstack/sdk';
import { CliError } from '../errors/cli-error.js';
import type { ForwardedPort } from '../render/client-url.js';
import type { CliContext } from '../terminal/context.js';
import { hostEntries, isLoopback, isOnThisMachine } from './host-entries.js';
import { managedIdentity, publicKeyOf } from './identity.js';
import { addHosts, releaseHosts, sshConfigPath } from './ssh-config-file.js';
import { requireSshClient } from './ssh-client.js';
import { Tunnel } from './tunnel.js';

export interface AttachOptions {
  /** The local ports of the job's. */
  readonly ports: (job: Wire.Job) => Promise<readonly ForwardedPort[]>;
  readonly identity: string | undefined;
  readonly replica?: number | undefined;
  readonly job?: number | undefined;
  readonly signal: AbortSignal;
  readonly onConnection: (state: 'lost' | 'back') => void;
}

export interface Attachment {
  /** What to tell the user. */
  readonly text: string;
  readonly ports: readonly ForwardedPort[];
  close(): Promise<void>;
}

/**
 * Makes a running job reachable: a name for `ssh`, and its ports on this machine. Undefined when the job ended meanwhile.
 * @throws {CliError}
 */
export async function openAttachment(
  client: Dstack,
  context: CliContext,
  run: Wire.Run,
  options: AttachOptions,
): Promise<Attachment | undefined> {
  const name = run.run_spec.run_name ?? '';
  const job = selectJob(run, { replica: options.replica, job: options.job });
  if (!job) throw new CliError(`Run ${name} has no such job.`, { hint: `See its jobs: dstack ps -v` });
  const alias = aliasOf(name, job);
  const entries = hostEntries(alias, job);
  const [first] = entries;
  if (!first)
    throw new CliError(`Run ${name} has no machine that takes SSH connections yet.`, {
      hint: `Try again: dstack attach ${name}`,
    });
  if (isLoopback(first.hostName) && !isLoopback(new URL(client.url).hostname))
    throw new CliError(`Run ${name} is on the server's own machine, which takes connections from itself only.`, {
      hint: `Attach there, or run it on another host. Its output: dstack logs -f ${name}`,
    });
  const ssh = await requireSshClient(context.env);
  const identity = await identityFor(client, context, run, options.identity);
  const ports = await options.ports(job);
  await addHosts(context.home, entries, identity);
  try {
    const tunnel = await Tunnel.open({
      alias,
      configFile: sshConfigPath(context.home),
      ports: ports.filter((port) => !port.isDirect),
      client: ssh,
      signal: options.signal,
      onConnection: options.onConnection,
      isWanted: () => isRunning(client, name, job),
    });
    if (!tunnel) {
      await releaseHosts(context.home);
      return undefined;
    }
    return {
      ports,
      text: attachedText(context, name, alias, job, ports),
      close: () => {
        tunnel.close();
        return releaseHosts(context.home);
      },
    };
  } catch (error) {
    await releaseHosts(context.home);
    throw error;
  }
}

/** Ports reserved before the machine was known, as they are on it. Pure. */
export function onMachineOf(job: Wire.Job, ports: readonly ForwardedPort[]): ForwardedPort[] {
  const isHere = isOnThisMachine(job);
  return ports.map((port) => ({ ...port, isDirect: isHere && port.localPort === port.remotePort }));
}

async function isRunning(client: Dstack, name: string, { job_spec: spec }: Wire.Job): Promise<boolean> {
  const selector = { replica: spec.replica_num ?? 0, job: spec.job_num };
  const run = await client.runs.get(name).catch(() => undefined);
  return run === undefined || selectSubmission(run, selector)?.status === 'running';
}

function aliasOf(name: string, { job_spec: spec, job_connection_info: info }: Wire.Job): string {
  const told = info?.attached_ssh_command?.at(-1);
  if (told !== undefined) return told;
  return (spec.replica_num ?? 0) === 0 && spec.job_num === 0 ? name : spec.job_name;
}

function attachedText(
  { style }: CliContext,
  name: string,
  alias: string,
  { job_spec: spec, job_connection_info: info }: Wire.Job,
  ports: readonly ForwardedPort[],
): string {
  const forwarded = ports.filter((port) => !port.isDirect);
  const direct = ports.filter((port) => port.isDirect);
  const ide = info?.attached_ide_url;
  return [
    `Attached to run ${style.code(name)} (replica=${spec.replica_num ?? 0} job=${spec.job_num})`,
    ...(forwarded.length > 0 ? ['Forwarded ports (local -> remote):'] : []),
    ...forwarded.map((port) => `  - ${port.host}:${port.localPort} -> ${port.remotePort}`),
    ...(direct.length > 0 ? ['Ports of the job, which is on this machine:'] : []),
    ...direct.map((port) => `  - localhost:${port.localPort}`),
    ...(ide ? [`${info.ide_name ?? 'IDE'}: ${style.code(ide)}`] : []),
    `SSH: ${style.code(`ssh ${alias}`)}`,
    'Ctrl+C detaches',
  ].join('\n');
}

async function identityFor(
  client: Dstack,
  context: CliContext,
  run: Wire.Run,
  own: string | undefined,
): Promise<string> {
  if (own !== undefined) return (await publicKeyOf(own, context.cwd)).privateFile;
  const user = await client.users.me();
  const wanted = keyPart(run.run_spec.ssh_key_pub);
  if (wanted !== undefined && user.ssh_public_key && keyPart(user.ssh_public_key) !== wanted)
    throw new CliError(`Run ${run.run_spec.run_name ?? ''} was submitted with another SSH key.`, {
      hint: 'Pass its private key: --ssh-identity FILE',
    });
  return managedIdentity(client, context.home);
}

/** Without the comment. */
function keyPart(key: string | null | undefined): string | undefined {
  return key ? key.trim().split(/\s+/).slice(0, 2).join(' ') : undefined;
}
