import type { ServiceTraffic } from '../services/traffic.js';
import type { Instant } from './decision.js';
import type { Replica } from './service-snapshot.js';

/** Proxies learn of a draining replica by a notice, and tell of their requests every few seconds. */
const HEARING_MS = 10_000;
/** Until the notice has reached them. */
const SETTLE_MS = 1_000;
/** Between two looks at a replica that drains. */
export const DRAIN_CHECK_MS = 1_000;

/** Whether a draining replica may end: it has answered everything, as far as proxies tell, or its time is over. */
export function isDrained(
  { id, drainingSince }: Replica,
  { traffic, drainLimitMs }: { readonly traffic: ServiceTraffic; readonly drainLimitMs: number },
  now: Instant,
): boolean {
  if (drainingSince === null) return true;
  const ageMs = now - drainingSince;
  if (ageMs >= drainLimitMs) return true;
  if (ageMs < SETTLE_MS || (traffic.inFlight[id] ?? 0) > 0) return false;
  if (traffic.heardSince === null || traffic.heardSince > drainingSince) return true;
  // A proxy that had nothing to tell for so long has no requests.
  return ageMs >= HEARING_MS;
}
