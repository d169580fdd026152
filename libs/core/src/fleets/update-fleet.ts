import { diffValues, formatChange, isSame, type FieldChange } from '../runs/diff.js';
import type * as Wire from '../wire/generated/api.js';

export interface FleetUpdateCheck {
  readonly changes: readonly FieldChange[];
  /** Why the fleet has to be deleted and created anew; empty: it can be updated. */
  readonly blockers: readonly string[];
  readonly addedHosts: readonly HostEntry[];
  readonly removedHosts: readonly HostEntry[];
}

type HostEntry = Wire.SSHParams['hosts'][number];

const CLOUD_UPDATABLE: ReadonlySet<string> = new Set([
  'nodes',
  'reservation',
  'tags',
  'resources',
  'backends',
  'regions',
  'availability_zones',
  'instance_types',
  'spot_policy',
  'max_price',
]);

export function checkFleetUpdate(current: Wire.FleetSpec, next: Wire.FleetSpec): FleetUpdateCheck {
  const before = withoutIdentities(current);
  const after = withoutIdentities(next);
  const changes = diffValues(before, after);
  const wasSsh = Boolean(before.configuration.ssh_config);
  if (wasSsh !== Boolean(after.configuration.ssh_config)) {
    return {
      changes,
      blockers: ['a cloud fleet cannot become an SSH fleet, nor the reverse'],
      addedHosts: [],
      removedHosts: [],
    };
  }
  return wasSsh ? checkSshUpdate(before, after, changes) : checkCloudUpdate(before, after, changes);
}

function checkCloudUpdate(
  before: Wire.FleetSpec,
  after: Wire.FleetSpec,
  changes: readonly FieldChange[],
): FleetUpdateCheck {
  const blocking = changes.filter(({ path }) => {
    const [top, field] = path;
    if (top === 'configuration') return !CLOUD_UPDATABLE.has(String(field));
    if (top === 'profile') return !CLOUD_UPDATABLE.has(String(field)) && field !== 'name' && field !== 'default';
    // Who writes limits for the default fleet makes it their own.
    return top !== 'configuration_path' && top !== 'autocreated';
  });
  return { changes, blockers: blocking.map(formatChange), addedHosts: [], removedHosts: [] };
}

function checkSshUpdate(
  before: Wire.FleetSpec,
  after: Wire.FleetSpec,
  changes: readonly FieldChange[],
): FleetUpdateCheck {
  const oldHosts = before.configuration.ssh_config?.hosts ?? [];
  const newHosts = after.configuration.ssh_config?.hosts ?? [];
  const oldByName = new Map(oldHosts.map((host) => [hostname(host), host]));
  const newNames = new Set(newHosts.map(hostname));
  const changedHosts = newHosts.filter((host) => {
    const was = oldByName.get(hostname(host));
    return was !== undefined && !isSame(hostEntry(was), hostEntry(host));
  });
  const others = diffValues(withoutHosts(before), withoutHosts(after)).filter(
    ({ path }) => path[0] === 'configuration',
  );
  return {
    changes,
    blockers: [
      ...others.map(formatChange),
      ...changedHosts.map(
        (host) => `host ${hostname(host)}: the parameters of a host cannot change; remove it first, then add it`,
      ),
    ],
    addedHosts: newHosts.filter((host) => !oldByName.has(hostname(host))),
    removedHosts: oldHosts.filter((host) => !newNames.has(hostname(host))),
  };
}

function hostname(host: HostEntry): string {
  return typeof host === 'string' ? host : host.hostname;
}

function hostEntry(host: HostEntry): unknown {
  return typeof host === 'string' ? { hostname: host } : host;
}

function withoutHosts(spec: Wire.FleetSpec): Wire.FleetSpec {
  const ssh = spec.configuration.ssh_config;
  return ssh ? { ...spec, configuration: { ...spec.configuration, ssh_config: { ...ssh, hosts: [] } } } : spec;
}

// Where a key lies on the user's machine is not part of the fleet, and a new key for the same host is no other host.
function withoutIdentities(spec: Wire.FleetSpec): Wire.FleetSpec {
  const ssh = spec.configuration.ssh_config;
  if (!ssh) return spec;
  const hosts = ssh.hosts.map((host) => (typeof host === 'string' ? host : withoutIdentity(host)));
  return { ...spec, configuration: { ...spec.configuration, ssh_config: { ...withoutIdentity(ssh), hosts } } };
}

interface Identified {
  readonly identity_file?: string | null;
  readonly ssh_key?: Wire.SSHKey | null;
  readonly proxy_jump?: Wire.SSHProxyParams | null;
}

function withoutIdentity<T extends Identified>(params: T): T {
  const jump = params.proxy_jump;
  const without = { identity_file: null, ssh_key: null };
  return { ...params, ...without, proxy_jump: jump ? { ...jump, identity_file: '', ssh_key: null } : null };
}
