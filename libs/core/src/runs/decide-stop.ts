import type { RunStatus, RunTerminationReason } from '../wire/enums.js';

export interface StoppedRun {
  readonly status: RunStatus;
  readonly terminationReason: RunTerminationReason | null;
  /** It would come back by itself. */
  readonly isScheduled: boolean;
}

/**
 * Why the run ends from now on, when somebody stops or aborts it; null: as it was, it is ending or has ended. An abort after a stop takes
 * the grace period away. A scheduled run whose turn is just over is stopped all the same: it would come back.
 */
export function decideStop(run: StoppedRun, abort: boolean): 'stopped_by_user' | 'aborted_by_user' | null {
  const { status, terminationReason } = run;
  if (status === 'terminated' || status === 'failed' || status === 'done') return null;
  if (abort) return 'aborted_by_user';
  if (status !== 'terminating') return 'stopped_by_user';
  const wasStopped = terminationReason === 'stopped_by_user' || terminationReason === 'aborted_by_user';
  return run.isScheduled && !wasStopped ? 'stopped_by_user' : null;
}
