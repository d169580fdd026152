import { type BackendDefinition, isBackendError } from '@dstack/backend-base';
import type { AttemptRecord } from './attempt-record.js';

type Asked = Pick<AttemptRecord, 'askedAt'>;

export const CREATE_DEADLINE_MS = 120_000;
/** From a create call on: it ends by its deadline, and what it sent may be under way for a while longer. */
const CREATE_ARRIVES_MS = CREATE_DEADLINE_MS + 60_000;

/** In milliseconds: until a machine that a create call may have made is there and listed, or never comes. */
export function arrivalMs({
  idempotency,
  createArrivesMs = CREATE_ARRIVES_MS,
}: Pick<BackendDefinition, 'idempotency' | 'createArrivesMs'>): number {
  return createArrivesMs + (idempotency.kind === 'lookup' ? idempotency.listLagMs : 0);
}

/**
 * Whether a create call that nobody had an answer to may still make a machine, or has made one that is not listed yet. It counts from the
 * call, not from the plan: a server may have been down for long between the two.
 */
export function mayStillArrive({ askedAt }: Asked, withinMs: number, now: number): boolean {
  return askedAt !== null && now - askedAt <= withinMs;
}

/**
 * Whether the attempt is over without a machine: the call says that it had no effect, and no other call of the same attempt, by a
 * server that lost its lease meanwhile, can still make one.
 */
export function isDefiniteFailure(error: unknown, asked: Asked, now: number): boolean {
  if (!isBackendError(error) || mayStillArrive(asked, CREATE_ARRIVES_MS, now)) return false;
  const { kind, afterLostTry = false } = error.failure;
  // Whose key is not taken is told nothing of what an earlier call has made with it.
  if (kind === 'credentials' && asked.askedAt !== null) return false;
  return !afterLostTry && kind !== 'outage' && kind !== 'throttled';
}
