import { DEFAULT_STOP_DURATION_SECONDS, effectiveProfile, secondsOrOff } from '../runs/effective-profile.js';
import { isRoutedWorker } from '../services/router.js';
import type * as Wire from '../wire/generated/api.js';
import type { Instant } from './decision.js';
import { LIMITS } from './limits.js';
import type { Replica, ServiceFacts } from './service-snapshot.js';

/** Proxies learn of a draining replica by a notice, and tell of their requests every few seconds. */
const HEARING_MS = 10_000;
/** Until the notice has reached them. */
const SETTLE_MS = 1_000;
/** Until the server has told the router of a worker, also where a notice was lost. */
const ROUTER_SETTLE_MS = 6_000;
/** Between two looks at a replica that drains. */
export const DRAIN_CHECK_MS = 1_000;

/** How long a replica may take to answer what it has got: as long as it may take to stop, within reason. */
export function drainLimitMs(spec: Pick<Wire.RunSpec, 'configuration' | 'profile'>): number {
  const seconds = secondsOrOff(effectiveProfile(spec).stop_duration, DEFAULT_STOP_DURATION_SECONDS);
  return seconds === null ? LIMITS.drainMs : Math.min(seconds * 1000, LIMITS.drainMs);
}

/** Whether a draining replica may end: it has answered everything, as far as proxies tell, or its time is over. */
export function isDrained(
  replica: Replica,
  service: Pick<ServiceFacts, 'replicas' | 'router' | 'traffic' | 'drainLimitMs'>,
  now: Instant,
): boolean {
  const { drainingSince } = replica;
  const { traffic, router } = service;
  if (drainingSince === null) return true;
  const isWorker = isRoutedWorker(replica.group, router);
  const ageMs = now - drainingSince;
  if (ageMs >= service.drainLimitMs) return true;
  if (ageMs < (isWorker ? ROUTER_SETTLE_MS : SETTLE_MS)) return false;
  // Which worker answers a request only the router knows: none is cut off while it has any.
  const answering = isWorker ? service.replicas.filter(({ group }) => group === router) : [replica];
  if (answering.some(({ id }) => (traffic.inFlight[id] ?? 0) > 0)) return false;
  if (traffic.heardSince === null || traffic.heardSince > drainingSince) return true;
  // A proxy that had nothing to tell for so long has no requests.
  return ageMs >= HEARING_MS;
}
