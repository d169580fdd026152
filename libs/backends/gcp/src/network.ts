import type { GceRouter, GceSubnet } from './schema.js';
import { lastPart } from './reservation.js';

/** Subnets of a network by region, in the order of their names. */
export type SubnetsByRegion = ReadonlyMap<string, readonly string[]>;

export function networkPath(project: string, name: string): string {
  return `projects/${project}/global/networks/${name}`;
}

/** Those that machines can be in: others serve proxies and services. */
export function subnetsOf(network: string, subnets: readonly GceSubnet[]): SubnetsByRegion {
  const byRegion = new Map<string, string[]>();
  for (const { subnetwork, network: of, purpose } of subnets) {
    if (relative(of) !== network) continue;
    if (purpose !== undefined && !/^PRIVATE(_RFC_1918)?$/.test(purpose)) continue;
    const path = relative(subnetwork);
    const [, region] = /\/regions\/([^/]+)\//.exec(path) ?? [];
    if (region !== undefined) byRegion.set(region, [...(byRegion.get(region) ?? []), path].sort());
  }
  return byRegion;
}

/** Machines without public addresses reach the internet only through it. */
export function hasNat(network: string, routers: readonly GceRouter[]): boolean {
  return routers.some(({ network: of, nats }) => relative(of ?? '') === network && (nats ?? []).length > 0);
}

/** Names in URLs without the host: `projects/p/…`. */
function relative(url: string): string {
  return url.replace(/^https?:\/\/[^/]+\/(compute\/[^/]+\/)?/, '');
}

export interface FirewallRule {
  readonly name: string;
  readonly network: string;
  readonly targetTag: string;
  readonly ports: readonly string[];
}

export const MACHINE_TAG = 'dstack-runner-instance';
export const GATEWAY_TAG = 'dstack-gateway-instance';

const MAX_NAME = 63;

export function firewallRule(network: string, tag: typeof MACHINE_TAG | typeof GATEWAY_TAG): FirewallRule {
  const isGateway = tag === GATEWAY_TAG;
  const prefix = isGateway ? 'dstack-gateway-in-all' : 'dstack-ssh-in';
  const whole = `${prefix}-${network.replaceAll(/[/.:]/g, '-')}`;
  return {
    name: whole.length <= MAX_NAME ? whole : `${prefix}-${lastPart(network)}`.slice(0, MAX_NAME).replace(/-+$/, ''),
    network,
    targetTag: tag,
    ports: isGateway ? ['22', '80', '443'] : ['22'],
  };
}
