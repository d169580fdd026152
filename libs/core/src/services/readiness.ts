import { doublingDelayMs } from '../lifecycle/limits.js';

/** What is known of one probe of a replica. */
export interface ProbeState {
  readonly successStreak: number;
  readonly failureStreak: number;
  readonly isReady: boolean;
}

export interface ReadinessRule {
  readonly ready_after: number;
  readonly until_ready: boolean;
}

export const UNPROBED: ProbeState = { successStreak: 0, failureStreak: 0, isReady: false };

/** One lost answer of a replica that served well is no reason to send its requests elsewhere; this many in a row are. */
const UNREADY_AFTER = 3;

export function afterProbe(state: ProbeState, rule: ReadinessRule, hasSucceeded: boolean): ProbeState {
  if (hasSucceeded) {
    const successStreak = state.successStreak + 1;
    return { successStreak, failureStreak: 0, isReady: state.isReady || successStreak >= rule.ready_after };
  }
  const failureStreak = state.failureStreak + 1;
  return { successStreak: 0, failureStreak, isReady: state.isReady && failureStreak < UNREADY_AFTER };
}

/** Whether there is anything left to ask. */
export function goesOn(state: ProbeState, rule: ReadinessRule): boolean {
  return !(rule.until_ready && state.isReady);
}

/** A replica gets requests when all that it is asked says so. */
export function isReplicaReady(probes: readonly ProbeState[]): boolean {
  return probes.every((probe) => probe.isReady);
}

/**
 * Whether requests reach a replica. Of a service of a gateway that is so when all of the gateway's machines that can be reached send it some;
 * a worker gets its own from its router.
 * @param atGateway what the gateway's machines serve; null: this server serves it itself, or the gateway has not said anything yet
 */
export function getsRequests(
  { isRegistered, isWorker }: { readonly isRegistered: boolean; readonly isWorker: boolean },
  atGateway: { readonly isServed: boolean } | null,
): boolean {
  return isRegistered && (isWorker || (atGateway?.isServed ?? true));
}

/** Whether anybody who looks at the replica would see the difference; streaks beyond what is asked for are none. */
export function isWorthTelling(before: ProbeState, after: ProbeState, rule: ReadinessRule): boolean {
  const shown = ({ successStreak }: ProbeState): number => Math.min(successStreak, rule.ready_after);
  return before.isReady !== after.isReady || shown(before) !== shown(after);
}

const FIRST_PAUSE_MS = 500;

/** Until the next question. A replica that is starting is asked more often, so that its first requests do not wait for an interval. */
export function probePauseMs(state: ProbeState, intervalMs: number): number {
  if (state.isReady || state.successStreak > 0) return intervalMs;
  return doublingDelayMs(state.failureStreak - 1, FIRST_PAUSE_MS, intervalMs);
}
