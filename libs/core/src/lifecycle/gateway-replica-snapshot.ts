import type { Instant } from './decision.js';
import type { Trouble } from './trouble.js';

interface Base {
  readonly createdAt: Instant;
  readonly statusChangedAt: Instant;
  /** The gateway is to be deleted, or has too many. */
  readonly isUnwanted: boolean;
  /** A host that nobody rents: it is neither made nor ended. */
  readonly isOwnHost: boolean;
  readonly trouble: Trouble | null;
}

export interface SubmittedGatewayReplica extends Base {
  readonly status: 'submitted';
  /** Its name in the cloud and its token are on disk. */
  readonly isNamed: boolean;
}

export interface ProvisioningGatewayReplica extends Base {
  readonly status: 'provisioning';
  readonly machine: 'none' | 'starting' | 'ready' | 'failed' | 'gone';
  readonly machineMessage: string | null;
  /** The gateway's program runs there. */
  readonly isInstalled: boolean;
  /** Its gateway has a load balancer, which does not send it requests yet. */
  readonly hasToJoin: boolean;
}

export interface RunningGatewayReplica extends Base {
  readonly status: 'running';
  readonly machine: 'none' | 'starting' | 'ready' | 'failed' | 'gone';
  readonly unreachableSince: Instant | null;
  /** This server would install another version, and may. */
  readonly isOutdated: boolean;
}

export interface TerminatingGatewayReplica extends Base {
  readonly status: 'terminating';
  /** Confirmed by the cloud, never asked for, or removed from the host. */
  readonly isGone: boolean;
}

export interface TerminatedGatewayReplica extends Base {
  readonly status: 'terminated';
}

export type GatewayReplicaSnapshot =
  | SubmittedGatewayReplica
  | ProvisioningGatewayReplica
  | RunningGatewayReplica
  | TerminatingGatewayReplica
  | TerminatedGatewayReplica;

export type GatewayReplicaEffect =
  /** Choose the name and the token; nothing of the cloud is touched. */
  | { readonly do: 'plan' }
  /** A repeat is the same attempt. */
  | { readonly do: 'create' }
  | { readonly do: 'poll' }
  /** Put the gateway's program on the machine, or another version of it, and start it. */
  | { readonly do: 'install' }
  /** Have the load balancer made, and send requests to the machine. */
  | { readonly do: 'join' }
  /** Of the machine, or of the program on a host of one's own. */
  | { readonly do: 'terminate' };

export interface GatewayReplicaChanges {
  readonly message: string | null;
}
