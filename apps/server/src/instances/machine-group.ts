import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import type { Wake } from '../reconcile/wake.js';

/** Of a machine that is made by one call with others. */
export interface GroupMembership {
  /** The first one's: its create call makes all of them. */
  readonly id: string;
  /** From 0; the node's rank. */
  readonly rank: number;
  readonly size: number;
}

/** Whether others of the group are still used: ending one ends all. Those that have no machine yet are not. */
export async function isGroupInUse(tx: ReadTx, group: GroupMembership, except: string): Promise<boolean> {
  const rows = await tx.query(
    `SELECT id FROM instances WHERE group_id = ? AND id <> ? AND status IN ('provisioning', 'idle', 'busy') LIMIT 1`,
    [group.id, except],
  );
  return rows.length > 0;
}

/** All but the one that has news for them. */
export async function wakeGroup(tx: WriteTx, wake: Wake, group: GroupMembership, except: string): Promise<void> {
  const rows = await tx.query<{ id: string }>(
    `SELECT id FROM instances WHERE group_id = ? AND id <> ? AND status <> 'terminated'`,
    [group.id, except],
  );
  await wake.rows(tx, 'instances', rows.map(({ id }) => id)); // prettier-ignore
}
