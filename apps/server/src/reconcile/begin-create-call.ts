import type { Call } from '@dstack/backend-base';
import { LIMITS } from '@dstack/core';
import type { WriteTx } from '../persistence/transaction.js';
import type { Clock } from '../world/world.js';

/** Says how many rows it marked. */
export type Mark = (tx: WriteTx) => Promise<number>;

/** What a create call is made for: the row that remembers that it was. */
export interface CreateCallRow {
  readonly table: 'provisioning_attempts' | 'volumes' | 'gateway_replicas';
  readonly id: string;
  /** When the last call began that this server has seen. */
  readonly askedAt: number | null;
  /** As SQL: there is still something to be made. */
  readonly isOpen: string;
  /** As SQL: what is written besides. */
  readonly also?: string;
}

export interface CreateCallTools {
  /** Its commit waits for the disk, and with it all that were made before: a call lost in a power cut would be a machine nobody knows. */
  readonly writeDurable: (work: Mark) => Promise<number>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Before the call: whoever finds the row after a crash, or after a commit that came to nothing, knows that something may have been made. Who
 * has not seen the last call makes none: it would take a refusal of its own for the answer to both.
 */
export async function beginCreateCall(
  { writeDurable, clock, signal }: CreateCallTools,
  row: CreateCallRow,
): Promise<Call> {
  // Its time begins before it is written down: a server that stood still in between must not ask any more.
  const call = { signal, deadline: clock.now() + LIMITS.createMs };
  const marked = await writeDurable((tx) => mark(tx, row));
  if (marked !== 1) throw new Error('the create call was made by somebody else meanwhile');
  signal.throwIfAborted();
  if (clock.now() >= call.deadline) throw new Error('the create call came too late');
  return call;
}

async function mark(tx: WriteTx, { table, id, askedAt, isOpen, also }: CreateCallRow): Promise<number> {
  const set = also === undefined ? '' : `, ${also}`;
  return tx.execute(
    `UPDATE ${table} SET asked_at = ?${set} WHERE id = ? AND COALESCE(asked_at, 0) = ? AND (${isOpen})`,
    [await tx.now(), id, askedAt ?? 0],
  );
}
