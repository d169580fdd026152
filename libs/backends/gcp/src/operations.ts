import type { BackendEnvironment, Call } from '@dstack/backend-base';

/**
 * For so long a create call looks at what it began. That there is no capacity is said by the operation, seconds after the request was
 * accepted; a machine that turned out to be none later would cost its run the other zones.
 */
export const CREATE_WATCH_MS = 30_000;

/** Disks and policies are made in seconds; whoever asked for them waits. */
export const SHORT_WATCH_MS = 60_000;

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;
/** Left of the caller's time, to say what was found out. */
const RESERVE_MS = 5_000;

export interface Watch<T> {
  readonly ask: () => Promise<T>;
  readonly isOver: (operation: T) => boolean;
  readonly limitMs: number;
}

/** Asks, ever more seldom, until the operation is over or the time is; gives what was seen last. */
export async function watch<T>(
  begun: T,
  { ask, isOver, limitMs }: Watch<T>,
  call: Call,
  { now, sleep }: Pick<BackendEnvironment, 'now' | 'sleep'>,
): Promise<T> {
  const until = Math.min(now() + limitMs, call.deadline - RESERVE_MS);
  let seen = begun;
  for (let pauseMs = FIRST_PAUSE_MS; !isOver(seen); pauseMs = Math.min(LONGEST_PAUSE_MS, Math.round(pauseMs * 1.5))) {
    if (now() + pauseMs > until) return seen;
    await sleep(pauseMs, call.signal);
    seen = await ask();
  }
  return seen;
}
