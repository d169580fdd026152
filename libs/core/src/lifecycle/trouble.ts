import type { CreateFailure } from './create-call.js';
import type { Instant } from './decision.js';
import { doublingDelayMs } from './limits.js';

/** What the last tries came to. */
export interface Trouble {
  readonly failures: number;
  readonly nextTryAt: Instant;
  readonly message: string;
  /** The same next time. */
  readonly isFinal: boolean;
}

const FINAL: ReadonlySet<CreateFailure['kind']> = new Set([
  'rejected',
  'not-found',
  'credentials',
  'quota',
  'no-capacity',
]);

/** Whether a cloud that refused a call for this reason says the same the next time. */
export function isFinalFailure(kind: CreateFailure['kind']): boolean {
  return FINAL.has(kind);
}

export interface FailedTry {
  readonly message: string;
  readonly isFinal: boolean;
  /** When the cloud wants to be asked again; absent: it did not say. */
  readonly retryAt?: Instant | undefined;
}

/** After one more try that failed: each pause is twice the last one, and no shorter than the cloud wants it. */
export function troubleAfter(
  { message, isFinal, retryAt = 0 }: FailedTry,
  last: Pick<Trouble, 'failures'> | null,
  pause: { readonly minMs: number; readonly maxMs: number },
  now: Instant,
): Trouble {
  const failures = (last?.failures ?? 0) + 1;
  const nextTryAt = Math.max(retryAt, now + doublingDelayMs(failures - 1, pause.minMs, pause.maxMs));
  return { failures, nextTryAt, message, isFinal };
}
