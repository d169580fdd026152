import type { Database } from '../persistence/database.js';
import { NOT_ANOTHERS } from '../reconcile/not-anothers.js';

export const LINK_LEASE_MS = 15_000;

/** One server at a time holds the link to a replica; false while another one does, or there is no such replica. */
export async function takeLink(db: Database, replicaId: string, holder: string): Promise<boolean> {
  return db.write(async (tx) => {
    const now = await tx.now();
    const taken = await tx.execute(
      `UPDATE gateway_replicas SET connection_holder = ?, connection_expires_at = ? WHERE id = ? AND deleted = ? AND status = 'running'
         AND ${NOT_ANOTHERS}`,
      [holder, now + LINK_LEASE_MS, replicaId, false, holder, now],
    );
    return taken === 1;
  });
}

/** @throws when somebody else has it */
export async function renewLink(db: Database, replicaId: string, holder: string): Promise<void> {
  if (!(await takeLink(db, replicaId, holder)))
    throw new Error('the link to the gateway is not this server’s any more');
}

export async function releaseLink(db: Database, replicaId: string, holder: string): Promise<void> {
  await db.write((tx) =>
    tx.execute(
      'UPDATE gateway_replicas SET connection_holder = NULL, connection_expires_at = NULL WHERE id = ? AND connection_holder = ?',
      [replicaId, holder],
    ),
  );
}

/** For the next state that is sent: an older server's are refused by the gateway. */
export async function nextRevision(db: Database, replicaId: string, atLeast: number): Promise<number> {
  return db.write(async (tx) => {
    const [row] = await tx.query<{ state_revision: number }>(
      `UPDATE gateway_replicas SET state_revision = CASE WHEN state_revision >= CAST(? AS bigint) THEN state_revision + 1
         ELSE CAST(? AS bigint) END WHERE id = ? RETURNING state_revision`,
      [atLeast, atLeast, replicaId],
    );
    if (row === undefined) throw new Error('the gateway replica is gone');
    return Number(row.state_revision);
  });
}
