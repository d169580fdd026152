import type { TrafficReport } from '@dstack/core';

/** Requests that reached a replica, or waited in vain for one, by the second in which they ended. Refused ones (401, 403, 413, 429 …) are not counted. */
export interface StatsSecond {
  /** Unix seconds. */
  readonly at: number;
  readonly group: string;
  readonly requests: number;
  /** Of all requests together, in milliseconds. */
  readonly totalMs: number;
  /** Answers by class: `2` is 2xx. `0`: there was none. */
  readonly statuses: Readonly<Record<string, number>>;
}

export interface ServiceStats {
  readonly serviceId: string;
  /** As the server's own proxies tell it: windows of 30, 60 and 300 s by replica group, requests under way by replica, held ones. */
  readonly traffic: TrafficReport;
  /** Those that ended since the cursor, oldest first; at most the last 300 s. The second that is not over yet is not among them. */
  readonly seconds: readonly StatsSecond[];
}

/** `GET /v1/stats`. */
export interface GatewayStats {
  /** For the next call. */
  readonly cursor: number;
  /** All services of the state. */
  readonly services: readonly ServiceStats[];
}
