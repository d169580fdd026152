import type { WriteTx } from '../persistence/transaction.js';
import type { Wake } from '../reconcile/wake.js';

/** Hosts that were connected before this server knew which agent it has: nothing else makes them due. */
export async function wakeOlderAgents(tx: WriteTx, wake: Wake, digest: string): Promise<void> {
  const rows = await tx.query<{ id: string }>(
    `SELECT id FROM instances WHERE deleted = false AND status IN ('idle', 'busy')
       AND machine LIKE '%"agentDigest":"%' AND machine NOT LIKE ?`,
    [`%"agentDigest":"${digest}"%`],
  );
  await wake.rows(tx, 'instances', rows.map(({ id }) => id)); // prettier-ignore
}
