import type { Database } from '../persistence/database.js';
import { findInstance, type InstanceRecord } from '../instances/instance-record.js';
import { findJobsOn } from '../jobs/job-record.js';
import { anyOf } from '../persistence/any-of.js';
import { inList } from '../persistence/in-list.js';
import { inOrder } from '../persistence/in-order.js';
import { merged } from '../persistence/merged.js';
import type { WriteTogether } from '../persistence/together.js';
import type { WriteTx } from '../persistence/transaction.js';
import { NOT_ANOTHERS } from '../reconcile/not-anothers.js';
import type { Wake } from '../reconcile/wake.js';

export const CONNECTION_LEASE_MS = 15_000;

/** Takes the host's connection lease with a higher epoch than any server before; null while another server holds it. */
export async function takeConnection(
  taking: WriteTogether,
  instanceId: string,
  holder: string,
): Promise<InstanceRecord | null> {
  return taking.run(async (tx) => ((await takeOne(tx, { instanceId, holder })) ? findInstance(tx, instanceId) : null));
}

const takeOne = merged<WriteTx, { readonly instanceId: string; readonly holder: string }, boolean>(
  async (tx, asked) => {
    const taken = new Set<string>();
    for (const [holder, ofHolder] of Map.groupBy(asked, (each) => each.holder)) {
      const now = await tx.now();
      const these = anyOf(tx.dialect, 'id', ofHolder.map((each) => each.instanceId)); // prettier-ignore
      const free = inOrder(tx.dialect, 'instances', `${these.sql} AND deleted = ? AND ${NOT_ANOTHERS}`);
      const rows = await tx.query<{ id: string }>(
        `UPDATE instances SET connection_epoch = connection_epoch + 1, connection_holder = ?, connection_expires_at = ?
       WHERE ${free} RETURNING id`,
        [holder, now + CONNECTION_LEASE_MS, ...these.params, false, holder, now],
      );
      for (const { id } of rows) taken.add(id);
    }
    return asked.map(({ instanceId }) => taken.has(instanceId));
  },
);

/** Of these hosts. Returns the epochs of those that are still held. */
export async function renewConnections(
  db: Database,
  instanceIds: readonly string[],
  holder: string,
): Promise<ReadonlyMap<string, number>> {
  const these = inList('id', instanceIds);
  const rows = await db.write(async (tx) =>
    tx.query<{ id: string; connection_epoch: number }>(
      `UPDATE instances SET connection_expires_at = ?
       WHERE ${inOrder(tx.dialect, 'instances', `connection_holder = ? AND deleted = ? AND ${these.sql}`)}
       RETURNING id, connection_epoch`,
      [(await tx.now()) + CONNECTION_LEASE_MS, holder, false, ...these.params],
    ),
  );
  return new Map(rows.map((row) => [row.id, Number(row.connection_epoch)]));
}

/** Lets another server take over at once. */
export async function releaseConnection(
  db: Database,
  instanceId: string,
  epoch: number,
  holder: string,
): Promise<void> {
  await db.write((tx) =>
    tx.execute(
      'UPDATE instances SET connection_expires_at = NULL, connection_holder = NULL WHERE id = ? AND connection_epoch = ? AND connection_holder = ?',
      [instanceId, epoch, holder],
    ),
  );
}

/** Makes the instance and its jobs look again at what they can reach. */
export async function wakeHostAndJobs(tx: WriteTx, wake: Wake, instanceId: string): Promise<void> {
  const jobs = await findJobsOn(tx, instanceId);
  await wake.rows(tx, 'instances', [instanceId]);
  await wake.rows(tx, 'jobs', jobs.map((job) => job.id)); // prettier-ignore
  // A host that is back can take the jobs that wait for one.
  wake.topic(tx, 'placement');
}
