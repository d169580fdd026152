import type { Call } from '@dstack/backend-base';
import { LIMITS } from '@dstack/core';
import { lockInOrder } from '../persistence/in-order.js';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { WriteTx } from '../persistence/transaction.js';
import type { Clock } from '../world/world.js';

/** Says how many rows it marked. */
export type Mark = (tx: WriteTx) => Promise<number>;

/** What a create call is made for: the row that remembers that it was. */
export type CreateCallRow = {
  readonly id: string;
  /** In which the call was decided on: of this row, or of the instance that is tried. */
  readonly status: string;
  /** When the last call began that this server has seen. */
  readonly askedAt: number | null;
  /** As SQL: there is still something to be made. */
  readonly isOpen: string;
  /** As SQL: what is written besides. */
  readonly also?: string;
} & (
  | { readonly table: 'volumes' | 'gateway_replicas' }
  | { readonly table: 'provisioning_attempts'; readonly instanceId: string }
);

export interface CreateCallTools {
  /** Its commit waits for the disk, and with it all that were made before: a call lost in a power cut would be a machine nobody knows. */
  readonly writeDurable: (work: Mark) => Promise<number>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Before the call: whoever finds the row after a crash, or after a commit that came to nothing, knows that something may have been made. Who
 * has not seen the last call makes none: it would take a refusal of its own for the answer to both. Nor does who has not seen that it is not
 * wanted any more: what is being ended was looked for already.
 */
export async function beginCreateCall(
  { writeDurable, clock, signal }: CreateCallTools,
  row: CreateCallRow,
): Promise<Call> {
  // Its time begins before it is written down: a server that stood still in between must not ask any more.
  const call = { signal, deadline: clock.now() + LIMITS.createMs };
  const marked = await writeDurable((tx) => mark(tx, row));
  if (marked !== 1) throw new Error('somebody else made the create call meanwhile, or ended what it is for');
  signal.throwIfAborted();
  if (clock.now() >= call.deadline) throw new Error('the create call came too late');
  return call;
}

async function mark(tx: WriteTx, row: CreateCallRow): Promise<number> {
  const { table, id, status, askedAt, isOpen, also } = row;
  const set = also === undefined ? '' : `, ${also}`;
  // Whoever ends it either has committed, and is seen, or waits, and sees the mark.
  if (row.table === 'provisioning_attempts' && tx.dialect === 'postgres') await holdInstance(tx, row.instanceId);
  const stands =
    row.table === 'provisioning_attempts'
      ? 'EXISTS (SELECT 1 FROM instances i WHERE i.id = instance_id AND i.status = ?)'
      : 'status = ?';
  return tx.execute(
    `UPDATE ${table} SET asked_at = ?${set} WHERE id = ? AND COALESCE(asked_at, 0) = ? AND (${isOpen}) AND ${stands}`,
    [await tx.now(), id, askedAt ?? 0, status],
  );
}

/** Many at once in the order in which all lock them. */
const holdInstance = rowsByKey({
  select: 'SELECT id FROM instances',
  key: 'id',
  suffix: lockInOrder,
  read: (_tx, { id }: { readonly id: string }) => id,
});
