import type { Instant } from './decision.js';
import { doublingDelayMs, LIMITS } from './limits.js';

export interface TerminateTries {
  readonly terminateFailures: number;
  readonly nextTerminateAt: Instant;
}

/** After a call that failed, or did not find the machine gone yet: each pause is twice the last one. */
export function terminateAgain(
  { terminateFailures }: Pick<TerminateTries, 'terminateFailures'>,
  now: Instant,
): TerminateTries {
  const pauseMs = doublingDelayMs(terminateFailures, LIMITS.terminateRetryMinMs, LIMITS.terminateRetryMaxMs);
  return { terminateFailures: terminateFailures + 1, nextTerminateAt: now + pauseMs };
}
