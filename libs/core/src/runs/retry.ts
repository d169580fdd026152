import { JOB_ENDINGS } from '../wire/endings.js';
import type { JobTerminationReason, RetryEvent } from '../wire/enums.js';
import type * as Wire from '../wire/generated/api.js';

export type RetryVerdict =
  | { readonly retry: true; readonly event: RetryEvent }
  | { readonly retry: false; readonly because: 'not-retryable' | 'retry-limit-exceeded' };

export interface EndedJob {
  readonly reason: JobTerminationReason;
  readonly policy: Wire.Retry | null;
  readonly now: number;
  /** When the run was submitted, or its schedule fired. */
  readonly runStartedAt: number;
  /** The end of the latest submission (same replica and number) that had a machine; null: none ever had. */
  readonly lastProvisionedEndedAt: number | null;
}

/**
 * Before a job ever had a machine only `no-capacity` is retried, for `duration` since the run began; once it had one, every listed event
 * is, for `duration` since the end of the last submission that had one.
 */
export function evaluateRetry({ reason, policy, now, runStartedAt, lastProvisionedEndedAt }: EndedJob): RetryVerdict {
  const event = JOB_ENDINGS[reason].retryEvent;
  if (policy === null || event === null || !policy.on_events.includes(event))
    return { retry: false, because: 'not-retryable' };
  if (lastProvisionedEndedAt === null && event !== 'no-capacity') return { retry: false, because: 'not-retryable' };
  const elapsedMs = now - (lastProvisionedEndedAt ?? runStartedAt);
  if (elapsedMs > policy.duration * 1000) return { retry: false, because: 'retry-limit-exceeded' };
  return { retry: true, event };
}

const RESUBMISSION_DELAYS_MS = [15_000, 30_000, 60_000, 120_000, 300_000];
const LONGEST_DELAY_MS = 600_000;

/** How long a pending run waits before its `attempt`-th resubmission (1 is the first). */
export function resubmissionDelayMs(attempt: number): number {
  return RESUBMISSION_DELAYS_MS[Math.max(1, attempt) - 1] ?? LONGEST_DELAY_MS;
}
