import type { WriteTx } from '../persistence/transaction.js';
import type { Wake } from '../reconcile/wake.js';

/** Machines of gateways that were looked at before this server knew which gateway it has. */
export async function wakeOlderGateways(tx: WriteTx, wake: Wake, digest: string): Promise<void> {
  const rows = await tx.query<{ id: string }>(
    `SELECT id FROM gateway_replicas WHERE status = 'running' AND installed_digest IS NOT NULL AND installed_digest <> ?`,
    [digest],
  );
  await wake.rows(tx, 'gateway_replicas', rows.map(({ id }) => id)); // prettier-ignore
}
