import type { JobTerminationReason } from '../wire/enums.js';
import { evaluateRetry } from '../runs/retry.js';
import type * as Wire from '../wire/generated/api.js';
import type { Instant } from './decision.js';

export interface FailedJob {
  readonly reason: JobTerminationReason | null;
  readonly retry: Wire.Retry | null;
  /** The end of the latest submission of the same job that had a machine; null when none ever had. */
  readonly lastProvisionedEndAt: Instant | null;
}

export type RetryVerdict = 'retry' | 'not-retryable' | 'limit-exceeded';

export function retryVerdict(job: FailedJob, runStartedAt: Instant, now: Instant): RetryVerdict {
  if (job.reason === null) return 'not-retryable';
  const verdict = evaluateRetry({
    reason: job.reason,
    policy: job.retry,
    now,
    runStartedAt,
    lastProvisionedEndedAt: job.lastProvisionedEndAt,
  });
  if (verdict.retry) return 'retry';
  return verdict.because === 'retry-limit-exceeded' ? 'limit-exceeded' : 'not-retryable';
}
