import type { GatewayReplicaStatus, GatewayStatus } from '../wire/enums.js';
import type { Instant } from './decision.js';

export interface GatewayReplicaFact {
  readonly id: string;
  readonly num: number;
  readonly status: GatewayReplicaStatus;
  /** It has been told to go. */
  readonly isUnwanted: boolean;
  /** What was wrong with it last. */
  readonly message: string | null;
}

export interface GatewaySnapshot {
  readonly status: GatewayStatus;
  readonly deletionRequested: boolean;
  readonly desired: number;
  /** A load balancer is made for it, which is gone before it is. */
  readonly hasBalancer: boolean;
  /** All that are not forgotten yet, terminated ones included. */
  readonly replicas: readonly GatewayReplicaFact[];
  /** How often in a row a replica has failed since the gateway was complete. */
  readonly failures: number;
  readonly lastFailureAt: Instant | null;
}

export type GatewayEffect =
  | { readonly do: 'create-replicas'; readonly nums: readonly number[] }
  | { readonly do: 'drop-replicas'; readonly ids: readonly string[] }
  /** Those that have ended. */
  | { readonly do: 'forget-replicas'; readonly ids: readonly string[] }
  /** With all that belongs to it, or what is left of that; the gateway itself is over (`isLast`) once it is gone. */
  | { readonly do: 'delete-balancer'; readonly isLast: boolean };

export interface GatewayChanges {
  readonly message: string | null;
  readonly failures: number;
  readonly lastFailureAt: Instant | null;
  readonly deletedAt: Instant;
}
