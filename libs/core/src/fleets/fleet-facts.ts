import { effectiveFleetParameters } from './fleet-parameters.js';
import type * as Wire from '../wire/generated/api.js';

export function isSshFleet(configuration: Pick<Wire.FleetConfiguration, 'ssh_config'>): boolean {
  return Boolean(configuration.ssh_config);
}

export function isCluster(configuration: Pick<Wire.FleetConfiguration, 'placement'>): boolean {
  return configuration.placement === 'cluster';
}

export interface FleetNodes {
  readonly min: number;
  /** Created when the fleet is; only min and max are kept up afterwards. */
  readonly target: number;
  readonly max: number | null;
}

/** An SSH fleet has the nodes its hosts are. */
export function fleetNodes(configuration: Wire.FleetConfiguration): FleetNodes {
  if (configuration.ssh_config) {
    const hosts = configuration.ssh_config.hosts.length;
    return { min: hosts, target: hosts, max: hosts };
  }
  const min = configuration.nodes?.min ?? 0;
  return { min, target: configuration.nodes?.target ?? min, max: configuration.nodes?.max ?? null };
}

export interface FleetInstanceFacts {
  readonly status: Wire.InstanceStatus;
  /** It exists only because a job is being provisioned on it. */
  readonly isPlaceholder: boolean;
  readonly totalBlocks: number | null;
  readonly busyBlocks: number;
}

const ACTIVE: ReadonlySet<Wire.InstanceStatus> = new Set(['pending', 'provisioning', 'idle', 'busy']);

/** Why the fleet can never hold a run as it is now, for people; null when it may. */
export function whyFleetCannotHold(
  configuration: Wire.FleetConfiguration,
  instances: readonly FleetInstanceFacts[],
  { nodes, multinode }: { nodes: number; multinode: boolean },
): string | null {
  if (multinode && !isCluster(configuration)) return 'several nodes need a fleet with `placement: cluster`';
  if (isSshFleet(configuration)) {
    const idle = instances.reduce((sum, each) => sum + idleBlocks(each), 0);
    return idle >= nodes ? null : `${idle} idle hosts or blocks, ${nodes} needed`;
  }
  const { max } = fleetNodes(configuration);
  if (max === null || (configuration.blocks ?? 1) !== 1) return null;
  const occupied = instances.filter((each) => each.isPlaceholder || each.status === 'busy').length;
  return max - occupied >= nodes ? null : `${occupied} of at most ${max} nodes are occupied, ${nodes} needed`;
}

/** Whether a job may make the fleet create one more instance. */
export function hasRoomForInstance(
  configuration: Wire.FleetConfiguration,
  instances: readonly FleetInstanceFacts[],
): boolean {
  if (isSshFleet(configuration)) return false;
  const { max } = fleetNodes(configuration);
  return max === null || instances.filter((each) => ACTIVE.has(each.status)).length < max;
}

function idleBlocks({ status, totalBlocks, busyBlocks }: FleetInstanceFacts): number {
  if (status !== 'idle' && status !== 'busy') return 0;
  return Math.max(0, (totalBlocks ?? 1) - busyBlocks);
}

/** What a fleet asks of a machine it creates for itself. */
export function fleetSpotPolicy(spec: Wire.FleetSpec): Wire.SpotPolicy {
  return effectiveFleetParameters(spec).spot_policy ?? 'on-demand';
}
