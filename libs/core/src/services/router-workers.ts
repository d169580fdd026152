import type { Instant } from '../lifecycle/decision.js';
import { isRoutedWorker } from './router.js';

/** A worker as its router lists it. */
export interface ListedWorker {
  readonly id: string;
  readonly url: string;
}

export interface WorkerChanges {
  /** Addresses that the router does not know yet. */
  readonly missing: readonly string[];
  readonly stale: readonly ListedWorker[];
}

/** A running replica, as far as its router cares. */
export interface RoutedReplica {
  readonly replicaGroup: string;
  /** It answers as its probes want it to. */
  readonly registered: boolean;
  readonly drainingSince: Instant | null;
}

/** Those that the router gives requests to: one that drains gets no new ones. */
export function workersOf<R extends RoutedReplica>(router: string, replicas: readonly R[]): R[] {
  return replicas.filter(
    ({ replicaGroup, registered, drainingSince }) =>
      isRoutedWorker(replicaGroup, router) && registered && drainingSince === null,
  );
}

/** What a router has to be told so that it gives requests to the workers at these addresses (without a scheme) and to no others. */
export function workerChanges(listed: readonly ListedWorker[], wanted: readonly string[]): WorkerChanges {
  const known = new Set(listed.map(({ url }) => plain(url)));
  const right = new Set(wanted.map(plain));
  return {
    missing: [...right].filter((address) => !known.has(address)),
    stale: listed.filter(({ url }) => !right.has(plain(url))),
  };
}

/** The address alone. Routers that know the parts of a data-parallel worker list each as `<url>@<rank>`. */
function plain(url: string): string {
  return url
    .replace(/^\w+:\/\//, '')
    .replace(/@\d+$/, '')
    .replace(/\/+$/, '');
}

export type WorkerKind = 'regular' | 'prefill' | 'decode';

export interface WorkerInfo {
  readonly kind: WorkerKind;
  /** Which it speaks at its port: `<protocol>://<address>` is its URL. */
  readonly protocol: 'http' | 'grpc';
  /** Where decoding workers meet it; null: it is no prefill worker, or does not say. */
  readonly bootstrapPort: number | null;
}

/** What `/server_info` of an SGLang worker says; null: it is not ready yet. */
export function workerInfo(info: Readonly<Record<string, unknown>>): WorkerInfo | null {
  const { status, disaggregation_mode: mode, disaggregation_bootstrap_port: port } = info;
  if (status !== undefined && status !== 'ready') return null;
  const kind = mode === 'prefill' || mode === 'decode' ? mode : 'regular';
  return { kind, protocol: 'http', bootstrapPort: kind === 'prefill' && typeof port === 'number' ? port : null };
}
