import type { Instant } from './decision.js';
import { LIMITS } from './limits.js';

/** Of an attempt: when the last create call began whose answer nobody has recorded; null: none was made. */
export interface Asked {
  readonly askedAt: Instant | null;
}

export interface CloudManners {
  readonly idempotency: { readonly kind: 'token' | 'name' } | { readonly kind: 'lookup'; readonly listLagMs: number };
  /** As the backend states it; absent: a call ends by its deadline, and what it sent may be under way for a while longer. */
  readonly createArrivesMs?: number | undefined;
}

/** In milliseconds: until a machine that a create call may have made is there and listed, or never comes. */
export function arrivalMs({ idempotency, createArrivesMs = LIMITS.createArrivesMs }: CloudManners): number {
  return createArrivesMs + (idempotency.kind === 'lookup' ? idempotency.listLagMs : 0);
}

/**
 * Whether a create call that nobody had an answer to may still make a machine, or has made one that is not listed yet. It counts from the
 * call, not from the plan: a server may have been down for long between the two.
 */
export function mayStillArrive({ askedAt }: Asked, withinMs: number, now: Instant): boolean {
  return askedAt !== null && now - askedAt <= withinMs;
}

/** Whether the cloud is searched before the call is made again: it knows neither tokens nor names, and would make another one. */
export function mustLookFirst({ askedAt }: Asked, { idempotency }: CloudManners): boolean {
  return askedAt !== null && idempotency.kind === 'lookup';
}

/**
 * Whether there may be more than what is known: a call without an answer may have made it, or may still make it. However long ago that
 * was: while no server was up, it may have arrived after what is known was gone.
 */
export function mayHaveMadeMore(isKnown: boolean, { askedAt }: Asked): boolean {
  return !isKnown || askedAt !== null;
}

/** Whether what is known is gone, and nothing that the calls for it made, or may still make, is left to be ended. */
export function isGoneForGood(isThere: boolean, calls: readonly Asked[]): boolean {
  return !isThere && !calls.some((call) => mayHaveMadeMore(true, call));
}

/** What the cloud said of a create call that came to nothing. */
export interface CreateFailure {
  readonly kind: 'no-capacity' | 'quota' | 'credentials' | 'throttled' | 'not-found' | 'rejected' | 'outage';
  /** An earlier try of the same call had no answer. */
  readonly afterLostTry?: boolean;
}

/** Whether the call itself made nothing: it is answered. Another one of the same attempt may still make something. */
export function isRefusal(failure: CreateFailure | null): boolean {
  if (failure === null) return false;
  const { kind, afterLostTry = false } = failure;
  return !afterLostTry && kind !== 'outage' && kind !== 'throttled';
}

/**
 * Whether the attempt is over without a machine: the call says that it had no effect, and no other call of the same attempt, by a
 * server that lost its lease meanwhile, can still make one. Null: the cloud said nothing.
 */
export function isDefiniteFailure(failure: CreateFailure | null, asked: Asked, now: Instant): boolean {
  if (failure === null || mayStillArrive(asked, LIMITS.createArrivesMs, now)) return false;
  // Whose key is not taken is told nothing of what an earlier call has made with it.
  if (failure.kind === 'credentials' && asked.askedAt !== null) return false;
  return isRefusal(failure);
}
