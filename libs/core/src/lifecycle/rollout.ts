import type { Instant } from './decision.js';
import type { JudgedReplica } from './judge-replica.js';
import { LIMITS } from './limits.js';
import type { ServiceFacts } from './service-snapshot.js';

/** A new specification that fails this often is taken back. */
const MOST_FAILURES = 3;

export interface RolloutVerdict {
  /** Why the former specification is to come back. */
  readonly rollBack: string | null;
  /** Every replica is what the specification says, and ready. */
  readonly isComplete: boolean;
  readonly recheckAt: Instant | null;
}

const NOTHING: RolloutVerdict = { rollBack: null, isComplete: false, recheckAt: null };

/** How an update fares. While a new replica fails and is tried again nothing else is replaced: the old ones serve. */
export function decideRollout(service: ServiceFacts, judged: readonly JudgedReplica[], now: Instant): RolloutVerdict {
  const { rollout } = service;
  if (rollout === null) return NOTHING;
  if (rollout.failures >= MOST_FAILURES) {
    const cause = rollout.lastFailure === null ? '' : `, the last one: ${rollout.lastFailure}`;
    return { ...NOTHING, rollBack: `its replicas failed ${rollout.failures} times before they were ready${cause}` };
  }
  const present = judged.filter(({ state }) => state === 'live' || state === 'draining' || state === 'leaving');
  const starting = present.filter(({ replica: { isUpToDate, isReady, status, drainingSince } }) =>
    isUpToDate && !isReady && status === 'running' && drainingSince === null); // prettier-ignore
  const deadlines = starting.map(({ replica }) => (replica.runningAt ?? now) + LIMITS.rolloutReadyMs);
  const recheckAt = deadlines.length === 0 ? null : Math.min(...deadlines);
  if (recheckAt !== null && now >= recheckAt) {
    const minutes = Math.round(LIMITS.rolloutReadyMs / 60_000);
    return { ...NOTHING, rollBack: `a replica was not ready ${minutes} minutes after it began to run` };
  }
  const isComplete =
    present.every(({ replica }) => replica.isUpToDate) &&
    service.groups.every(({ name, min }) => readyIn(judged, name) >= (service.scale[name]?.desired ?? min));
  return { rollBack: null, isComplete, recheckAt };
}

function readyIn(judged: readonly JudgedReplica[], group: string): number {
  return judged.filter(({ replica, state }) => state === 'live' && replica.group === group && replica.isReady).length;
}
