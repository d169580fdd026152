/** A request that came to nothing: refused with a status, or without an answer (null). */
export interface FailedTry {
  readonly status: number | null;
  /** How long the cloud asks to wait. */
  readonly retryAfterMs: number | null;
  /** Tries made, this one included. */
  readonly tries: number;
  /** Repeating it after it was carried out does no harm. */
  readonly isRepeatable: boolean;
  readonly msLeft: number;
}

const MAX_TRIES = 6;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20_000;

/**
 * How long to wait before the next try; null: not again. A request that was turned away for its rate (429) was not carried out; one
 * that met a failing server, or got no answer, may have been.
 * @param random from 0 to 1: clients that failed together do not come back together
 */
export function decideRetry(failed: FailedTry, random: number): number | null {
  const wasTurnedAway = failed.status === 429;
  const isTransient = wasTurnedAway || failed.status === null || failed.status >= 500;
  if (!isTransient || failed.tries >= MAX_TRIES) return null;
  if (!wasTurnedAway && !failed.isRepeatable) return null;
  const growing = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failed.tries - 1));
  const waitMs = failed.retryAfterMs ?? growing * (0.5 + random / 2);
  return waitMs < failed.msLeft ? waitMs : null;
}

/** `Retry-After`: seconds, or a date. @returns null without one that can be read */
export function retryAfterMs(header: unknown, now: number): number | null {
  if (typeof header !== 'string' || header === '') return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
