import type * as Wire from '../wire/generated/api.js';

/** One sshd on the way to a host, or the host's own. */
export interface SshHop {
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly privateKeys: readonly string[];
}

/** A host of a fleet with everything its `ssh_config` says about it, defaults filled in. */
export interface SshHost extends SshHop {
  readonly jump: SshHop | null;
  readonly internalIp: string | null;
  /** Where to look for the internal address; null: the first private one. */
  readonly network: string | null;
  readonly blocks: number | 'auto';
}

export type SshHosts =
  | { readonly ok: true; readonly hosts: readonly SshHost[] }
  | { readonly ok: false; readonly problems: readonly string[] };

const DEFAULT_PORT = 22;

/** What a host does not say itself, `ssh_config` says; `blocks` comes from the fleet. */
export function sshHosts(fleet: Pick<Wire.FleetConfiguration, 'ssh_config' | 'blocks'>): SshHosts {
  const ssh = fleet.ssh_config;
  if (!ssh) return { ok: true, hosts: [] };
  const problems: string[] = [];
  const hosts = ssh.hosts.map((entry): SshHost => {
    const host: Wire.SSHHostParams = typeof entry === 'string' ? { hostname: entry } : entry;
    const user = host.user ?? ssh.user ?? '';
    const key = host.ssh_key?.private ?? ssh.ssh_key?.private ?? '';
    if (user === '') problems.push(`host ${host.hostname} has no user: set \`user\` for it or in ssh_config`);
    if (key === '')
      problems.push(`host ${host.hostname} has no private key: set \`identity_file\` for it or in ssh_config`);
    return {
      hostname: host.hostname,
      port: host.port ?? ssh.port ?? DEFAULT_PORT,
      user,
      privateKeys: key === '' ? [] : [key],
      jump: jumpOf(host.proxy_jump ?? ssh.proxy_jump ?? null, host.hostname, problems),
      internalIp: host.internal_ip ?? null,
      network: ssh.network ?? null,
      blocks: host.blocks ?? fleet.blocks ?? 1,
    };
  });
  return problems.length === 0 ? { ok: true, hosts } : { ok: false, problems };
}

function jumpOf(jump: Wire.SSHProxyParams | null, hostname: string, problems: string[]): SshHop | null {
  if (jump === null) return null;
  const key = jump.ssh_key?.private ?? '';
  if (key === '')
    problems.push(`the proxy_jump ${jump.hostname} of host ${hostname} has no private key: set its \`identity_file\``);
  return {
    hostname: jump.hostname,
    port: jump.port ?? DEFAULT_PORT,
    user: jump.user,
    privateKeys: key === '' ? [] : [key],
  };
}

/** As it may be stored in plain text and shown to members of the project. */
export function withoutPrivateKeys<
  T extends { readonly configuration: { readonly ssh_config?: Wire.SSHParams | null } },
>(spec: T): T {
  const ssh = spec.configuration.ssh_config;
  if (!ssh) return spec;
  const hosts = ssh.hosts.map((host) => (typeof host === 'string' ? host : keyless(host)));
  return { ...spec, configuration: { ...spec.configuration, ssh_config: { ...keyless(ssh), hosts } } };
}

interface WithKeys {
  readonly ssh_key?: Wire.SSHKey | null;
  readonly proxy_jump?: Wire.SSHProxyParams | null;
}

function keyless<T extends WithKeys>(params: T): T {
  const jump = params.proxy_jump;
  return {
    ...params,
    ...(params.ssh_key ? { ssh_key: { public: params.ssh_key.public, private: null } } : {}),
    ...(jump ? { proxy_jump: keyless(jump) } : {}),
  };
}
