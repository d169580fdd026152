import { isFinishedJob } from '../wire/endings.js';
import type { Instant } from './decision.js';
import { byImportance, type JudgedReplica, type ReplicaState, retryAt } from './judge-replica.js';
import type { Replica } from './service-snapshot.js';

/** What is to be done so that a group has the replicas it shall have. */
export interface GroupPlan {
  /** Failed ones whose time has come. */
  readonly resubmit: readonly Replica[];
  /** How many new ones. */
  readonly create: number;
  /** No new requests for these, and then their end. */
  readonly remove: readonly Replica[];
  /** When the next failed one is to be submitted again. */
  readonly retryAt: Instant | null;
}

/** More replicas than desired, while old ones are replaced by new ones. */
const SURGE = 1;

export function planGroup(judged: readonly JudgedReplica[], desired: number, now: Instant): GroupPlan {
  const isOld = (replica: Replica): boolean => !replica.isUpToDate;
  return inState(judged, 'live').some(isOld) ? replaceOld(judged, desired, now) : keepUp(judged, desired, now);
}

function keepUp(judged: readonly JudgedReplica[], desired: number, now: Instant): GroupPlan {
  const places = [
    ...inState(judged, 'live').toSorted(byImportance),
    ...inState(judged, 'retry'),
    ...inState(judged, 'failed'),
    ...inState(judged, 'limit-exceeded'),
    ...inState(judged, 'done'),
  ];
  const kept = new Set(places.slice(0, desired));
  const retries = inState(judged, 'retry').filter((replica) => kept.has(replica));
  return {
    ...dueRetries(retries, Infinity, now),
    create: Math.max(0, desired - places.length),
    remove: inState(judged, 'live').filter((replica) => !kept.has(replica)),
  };
}

/** An old replica goes when a new one is ready in its place; one that gets no requests is not waited for. */
function replaceOld(judged: readonly JudgedReplica[], desired: number, now: Instant): GroupPlan {
  const live = inState(judged, 'live').toSorted(byImportance);
  const old = live.filter((replica) => !replica.isUpToDate);
  const fresh = live.filter((replica) => replica.isUpToDate);
  const retries = inState(judged, 'retry');
  const others = [...inState(judged, 'failed'), ...inState(judged, 'limit-exceeded'), ...inState(judged, 'done')]
    .length;
  const present =
    live.length +
    inState(judged, 'draining').length +
    inState(judged, 'leaving').length +
    retries.filter(({ status }) => !isFinishedJob(status)).length;
  const room = Math.max(0, desired + SURGE - present);
  const due = dueRetries(retries, room, now);
  const missing = desired - fresh.length - retries.length - others;
  const readyCount = live.filter(({ isReady }) => isReady).length;
  const readyOld = old.filter(({ isReady }) => isReady);
  const surplus = Math.max(0, readyCount - desired);
  return {
    ...due,
    // One that fails is tried again before there is another: what is wrong with it is most likely wrong with all.
    create: retries.length > 0 ? 0 : Math.max(0, Math.min(missing, room)),
    remove: [
      ...old.filter(({ isReady }) => !isReady),
      ...readyOld.slice(Math.max(0, readyOld.length - surplus)),
      ...fresh.slice(desired),
    ],
  };
}

function dueRetries(retries: readonly Replica[], room: number, now: Instant): Pick<GroupPlan, 'resubmit' | 'retryAt'> {
  // One that is still ending tells when it has ended.
  const ended = retries.filter(({ status }) => isFinishedJob(status));
  const resubmit = ended.filter((replica) => retryAt(replica, now) <= now).slice(0, room);
  const later = ended.map((replica) => retryAt(replica, now)).filter((at) => at > now);
  return { resubmit, retryAt: later.length === 0 ? null : Math.min(...later) };
}

function inState(judged: readonly JudgedReplica[], state: ReplicaState): Replica[] {
  return judged.filter((each) => each.state === state).map(({ replica }) => replica);
}
