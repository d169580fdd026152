export interface FailedTry {
  /** Null: no answer. */
  readonly status: number | null;
  /** Nobody waits any more, or the failure is final. */
  readonly isOver: boolean;
  /** As it came: seconds, or a date. */
  readonly retryAfter: string | null;
  /** Made, this one included. */
  readonly tries: number;
  /** Unix milliseconds. */
  readonly now: number;
}

const MAX_TRIES = 3;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;

/** How long to wait before the same request is sent again; null: not again. All of ARM's requests may be repeated. */
export function decideRetry({ status, isOver, retryAfter, tries, now }: FailedTry): number | null {
  const isTransient = status === null || status === 429 || status === 408 || (status >= 500 && status !== 501);
  if (isOver || !isTransient || tries >= MAX_TRIES) return null;
  const waitMs = retryAfter === null ? FIRST_WAIT_MS * 2 ** (tries - 1) : toMs(retryAfter, now);
  return waitMs <= LONGEST_WAIT_MS ? waitMs : null;
}

function toMs(header: string, now: number): number {
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const at = Date.parse(header);
  return Number.isNaN(at) ? FIRST_WAIT_MS : Math.max(0, at - now);
}
