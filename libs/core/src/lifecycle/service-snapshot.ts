import type { GroupScale, ServiceGroup } from '../services/decide-scale.js';
import type { ServiceTraffic } from '../services/traffic.js';
import type { Instant } from './decision.js';
import type { RunJob } from './run-snapshot.js';

/** A replica of a service is one job; this is its latest submission. */
export interface Replica extends RunJob {
  readonly group: string;
  /** It gets requests. */
  readonly isReady: boolean;
  readonly runningAt: Instant | null;
  /** Since when it gets no new requests, and ends once it has answered the others. */
  readonly drainingSince: Instant | null;
  /** Its job is what the run's specification asks for now. */
  readonly isUpToDate: boolean;
  /** How many of its submissions in a row failed soon after they began to run, or before. */
  readonly failuresInARow: number;
}

export interface ServiceFacts {
  readonly groups: readonly ServiceGroup[];
  readonly replicas: readonly Replica[];
  /** The group whose replica gets all requests and gives them to the others; null: every replica gets its own. */
  readonly router: string | null;
  /** Its workers know where the router was: another one would have none. */
  readonly endsWithRouter: boolean;
  /** By name of the group. */
  readonly scale: Readonly<Record<string, GroupScale>>;
  readonly traffic: ServiceTraffic;
  /** How long a replica may take to answer what it has got. */
  readonly drainLimitMs: number;
  /** Null: all replicas have been brought to the run's specification. */
  readonly rollout: Rollout | null;
  /** Null: its gateway serves it, or has not said anything yet, or it has none. */
  readonly gatewayRefusal: GatewayRefusal | null;
}

/** No replica of its gateway that runs serves it. */
export interface GatewayRefusal {
  readonly since: Instant;
  /** The same until somebody changes something. */
  readonly isLasting: boolean;
}

export interface Rollout {
  readonly deploymentNum: number;
  /** Submissions of the new specification that failed before they ever were ready; that there was no room for them is no failure of it. */
  readonly failures: number;
  readonly lastFailure: string | null;
}
