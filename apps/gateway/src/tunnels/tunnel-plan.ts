import type { SshTarget } from '@dstack/ssh';
import type { HostPlace } from '../replicas/ssh-host.js';

export interface TunnelPlaces {
  /** For the files of the plan; nobody else's. */
  readonly directory: string;
  /** Where the tunnel begins: a unix socket of this machine. */
  readonly socketPath: string;
}

/** What OpenSSH's client is started with. */
export interface TunnelPlan {
  /** Of the host to name on the command line. */
  readonly alias: string;
  readonly configPath: string;
  /** The login can be used for a command as well. */
  readonly takesCommands: boolean;
  /** By path. Those of keys are for nobody to read once the login is done. */
  readonly files: ReadonlyMap<string, string>;
}

/** The client puts 17 characters after it for a moment, and a socket's path has 107 at most. */
const LONGEST_CONTROL_PATH = 90;
const PATH = /^\/[\w.:@+/-]+$/;
const HOST = /^[A-Za-z0-9][A-Za-z0-9.-]*$|^[0-9A-Fa-f:]+$/;
const USER = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const HOST_KEY = /^[a-z0-9@.-]+ [A-Za-z0-9+/=]+$/;

/**
 * A tunnel to the place through all hosts before it. Null where there is none: a host's key is not known yet, or something has characters in it that
 * could mean more in OpenSSH's configuration than what they are.
 */
export function tunnelPlan(target: SshTarget, remote: HostPlace, places: TunnelPlaces): TunnelPlan | null {
  const { directory, socketPath } = places;
  const hops = hopsTo(target);
  const end = endOf(remote);
  if (end === null || !PATH.test(directory) || !PATH.test(socketPath) || !hops.every(isPlain)) return null;
  const knownHostsPath = `${directory}/known_hosts`;
  const blocks = hops.flatMap((hop, index) => [
    `Host hop${index}`,
    `  HostName ${hop.host}`,
    `  Port ${hop.port}`,
    `  User ${hop.user}`,
    `  HostKeyAlias hop${index}`,
    `  HostKeyAlgorithms ${keyAlgorithms(hop.pinnedHostKey ?? '')}`,
    ...hop.privateKeys.map((_key, key) => `  IdentityFile ${keyPath(directory, index, key)}`),
    ...(index === 0 ? [] : [`  ProxyJump hop${index - 1}`]),
    ...(index === hops.length - 1 ? [`  LocalForward ${socketPath} ${end}`] : []),
  ]);
  const controlPath = `${directory}/c`;
  const takesCommands = controlPath.length <= LONGEST_CONTROL_PATH;
  const known = hops.map(({ pinnedHostKey }, index) => `hop${index} ${pinnedHostKey ?? ''}\n`);
  const control = takesCommands ? ['  ControlMaster yes', `  ControlPath ${controlPath}`] : [];
  const config = [...blocks, ...control, ...COMMON, `  UserKnownHostsFile ${knownHostsPath}`];
  const configPath = `${directory}/config`;
  const keys = hops.flatMap(({ privateKeys }, index) =>
    privateKeys.map((text, key) => [keyPath(directory, index, key), `${text.trimEnd()}\n`] as const),
  );
  return {
    alias: `hop${hops.length - 1}`,
    configPath,
    takesCommands,
    files: new Map([[configPath, `${config.join('\n')}\n`], [knownHostsPath, known.join('')], ...keys]),
  };
}

/** A host that is cut off is noticed within a quarter of a minute, as by the program itself. Nothing of the machine's own configuration counts. */
const COMMON = [
  'Host *',
  '  BatchMode yes',
  '  StrictHostKeyChecking yes',
  '  GlobalKnownHostsFile /dev/null',
  '  UpdateHostKeys no',
  '  IdentitiesOnly yes',
  '  IdentityAgent none',
  '  PreferredAuthentications publickey',
  '  ForwardAgent no',
  '  ControlMaster no',
  '  ControlPath none',
  '  ConnectTimeout 10',
  '  ServerAliveInterval 5',
  '  ServerAliveCountMax 3',
  '  ExitOnForwardFailure yes',
  '  StreamLocalBindUnlink yes',
  // Where both have it, it costs least.
  '  Ciphers ^aes128-gcm@openssh.com',
  '  Compression no',
  // It says at this level that the replica's port cannot be opened.
  '  LogLevel INFO',
];

/** First to last. */
function hopsTo(target: SshTarget): SshTarget[] {
  return target.jump === null ? [target] : [...hopsTo(target.jump), target];
}

function isPlain({ host, user, privateKeys, pinnedHostKey }: SshTarget): boolean {
  const isKnown = pinnedHostKey !== null && HOST_KEY.test(pinnedHostKey);
  return isKnown && HOST.test(host) && USER.test(user) && privateKeys.length > 0;
}

function endOf(remote: HostPlace): string | null {
  if (remote.kind === 'unix') return PATH.test(remote.path) ? remote.path : null;
  if (!HOST.test(remote.host)) return null;
  return remote.host.includes(':') ? `[${remote.host}]:${remote.port}` : `${remote.host}:${remote.port}`;
}

/** A host that got a key of another kind beside the known one has not changed. */
function keyAlgorithms(hostKey: string): string {
  const [type = ''] = hostKey.split(' ');
  return type === 'ssh-rsa' ? 'rsa-sha2-512,rsa-sha2-256' : type;
}

function keyPath(directory: string, hop: number, key: number): string {
  return `${directory}/key-${hop}-${key}`;
}
