import { inserter } from '../persistence/insert-rows.js';
import type { WriteTx } from '../persistence/transaction.js';

export interface PricedInterval {
  readonly id: string;
  readonly instanceId: string;
  readonly projectId: string;
  /** US dollars per hour. */
  readonly price: number;
  readonly now: number;
}

const insertInterval = inserter('priced_intervals', [
  'id',
  'instance_id',
  'project_id',
  'price_usd_per_hour',
  'started_at',
]);

/** From now on the machine of the instance costs money. */
export function beginPricedInterval(
  tx: WriteTx,
  { id, instanceId, projectId, price, now }: PricedInterval,
): Promise<void> {
  return insertInterval(tx, {
    id,
    instance_id: instanceId,
    project_id: projectId,
    price_usd_per_hour: price,
    started_at: now,
  });
}

/** A clock that was set back must not make time cost less than nothing. */
export async function endPricedInterval(tx: WriteTx, instanceId: string, now: number): Promise<void> {
  await tx.execute(
    `UPDATE priced_intervals SET ended_at = CASE WHEN started_at > ? THEN started_at ELSE CAST(? AS bigint) END
     WHERE instance_id = ? AND ended_at IS NULL`,
    [now, now, instanceId],
  );
}
