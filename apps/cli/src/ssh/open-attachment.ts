import { type Dstack, selectJob, type Wire } from '@dstack/sdk';
import { CliError } from '../errors/cli-error.js';
import type { ForwardedPort } from '../render/client-url.js';
import type { CliContext } from '../terminal/context.js';
import { hostEntries } from './host-entries.js';
import { managedIdentity, publicKeyOf } from './identity.js';
import { addHosts, removeHosts, sshConfigPath } from './ssh-config-file.js';
import { requireSshClient, Tunnel } from './tunnel.js';

export interface AttachOptions {
  readonly ports: readonly ForwardedPort[];
  readonly host: string | undefined;
  readonly identity: string | undefined;
  readonly replica?: number | undefined;
  readonly job?: number | undefined;
  readonly signal: AbortSignal;
}

export interface Attachment {
  /** What to tell the user. */
  readonly text: string;
  readonly ports: readonly ForwardedPort[];
  close(): Promise<void>;
}

/** Makes a running job reachable: a name for `ssh`, and its ports on this machine. @throws {CliError} */
export async function openAttachment(
  client: Dstack,
  context: CliContext,
  run: Wire.Run,
  options: AttachOptions,
): Promise<Attachment> {
  const name = run.run_spec.run_name ?? '';
  const selector = { replica: options.replica, job: options.job };
  const job = selectJob(run, selector);
  if (!job) throw new CliError(`Run ${name} has no such job.`, { hint: `See its jobs: dstack ps -v` });
  const { replica_num: replica = 0, job_num: number, job_name: jobName } = job.job_spec;
  const alias = replica === 0 && number === 0 ? name : jobName;
  const entries = hostEntries(alias, job);
  if (entries.length === 0)
    throw new CliError(`Run ${name} has no machine that takes SSH connections yet.`, {
      hint: `Try again: dstack attach ${name}`,
    });
  const ssh = await requireSshClient(context.env);
  const identity = await identityFor(client, context, run, options.identity);
  await addHosts(context.home, entries, identity);
  const aliases = new Set(entries.map((entry) => entry.alias));
  const close = async (tunnel?: Tunnel) => {
    tunnel?.close();
    await removeHosts(context.home, aliases);
  };
  try {
    const tunnel =
      options.ports.length === 0
        ? undefined
        : await Tunnel.open({
            alias,
            configFile: sshConfigPath(context.home),
            ports: options.ports,
            client: ssh,
            signal: options.signal,
          });
    const title = `Attached to run ${context.style.code(name)} (replica=${replica} job=${number})`;
    const forwarded = options.ports.map((port) => `  - ${port.host}:${port.localPort} -> ${port.remotePort}`);
    const ide = job.job_connection_info?.attached_ide_url;
    return {
      ports: options.ports,
      text: [
        title,
        ...(forwarded.length > 0 ? ['Forwarded ports (local -> remote):', ...forwarded] : []),
        ...(ide ? [`${job.job_connection_info?.ide_name ?? 'IDE'}: ${context.style.code(ide)}`] : []),
        `SSH: ${context.style.code(`ssh ${alias}`)}`,
        'Ctrl+C detaches',
      ].join('\n'),
      close: () => close(tunnel),
    };
  } catch (error) {
    await close();
    throw error;
  }
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
