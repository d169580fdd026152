/** How often a call may be repeated: a read always, a write never, a keyed write because the server knows the key. */
export type Repeatable = 'read' | 'write' | 'keyed-write';

export type Failure =
  | { readonly what: 'no-connection'; readonly neverSent: boolean }
  | { readonly what: 'status'; readonly status: number; readonly retryAfterMs: number | undefined };

const ATTEMPTS = 4;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5_000;

/** Milliseconds until the next attempt, or undefined to give up. `jitter` is in 0..1. Pure. */
export function retryDelayMs(
  repeatable: Repeatable,
  failure: Failure,
  attempt: number,
  jitter: number,
): number | undefined {
  if (attempt >= ATTEMPTS || !mayRepeat(repeatable, failure)) return undefined;
  const asked = failure.what === 'status' ? failure.retryAfterMs : undefined;
  const backoff = FIRST_DELAY_MS * 2 ** (attempt - 1) * (0.5 + jitter / 2);
  return Math.min(LONGEST_DELAY_MS, Math.max(asked ?? 0, backoff));
}

function mayRepeat(repeatable: Repeatable, failure: Failure): boolean {
  if (failure.what === 'no-connection') return failure.neverSent || repeatable !== 'write';
  if (failure.status === 429) return true; // refused before anything was done
  return repeatable !== 'write' && [502, 503, 504].includes(failure.status);
}
