import { statusText } from '@dstack/backend-base';
import type { AgentRecord } from '../instances/instance-record.js';
import { anyOf } from '../persistence/any-of.js';
import { inOrder, lockInOrder } from '../persistence/in-order.js';
import { merged } from '../persistence/merged.js';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { WriteTx } from '../persistence/transaction.js';
import { updateById } from '../persistence/update-by-id.js';
import { NOT_ANOTHERS } from '../reconcile/not-anothers.js';
import { readJsonOrNull, writeJson } from '../reconcile/stored-json.js';
import type { Wake } from '../reconcile/wake.js';
import { wakeHostAndJobs } from './connection-lease.js';

/** Its agent has been greeted. */
export async function markConnected(
  tx: WriteTx,
  wake: Wake,
  instanceId: string,
  told: Pick<AgentRecord, 'info' | 'powerOffAfterMs'>,
): Promise<void> {
  const [known] = await agentOf(tx, instanceId);
  const agent: AgentRecord = { ...known, ...told, connectedSince: await tx.now() };
  await changeAgent(tx, { id: instanceId, agent_info: writeJson(agent) });
  await forgetDisconnection(tx, instanceId);
  await wakeHostAndJobs(tx, wake, instanceId);
  wake.topic(tx, 'placement');
}

/** Not by who was silent for so long that another server has the connection now, and reaches the host. */
export async function markUnreachable(
  tx: WriteTx,
  wake: Wake,
  instanceId: string,
  { holder, cause }: { readonly holder: string; readonly cause: unknown },
): Promise<void> {
  const now = await tx.now();
  await tx.execute(`UPDATE instances SET last_error = ? WHERE id = ? AND host_name IS NOT NULL AND ${NOT_ANOTHERS}`, [
    statusText(cause),
    instanceId,
    holder,
    now,
  ]);
  const marked = await tx.execute(
    `UPDATE instances SET unreachable_since = ?, rev = rev + 1
     WHERE id = ? AND unreachable_since IS NULL AND status IN ('idle', 'busy', 'terminating')
     AND ${NOT_ANOTHERS}`,
    [now, instanceId, holder, now],
  );
  if (marked === 1) await wakeHostAndJobs(tx, wake, instanceId);
}

/** What is known of its agent; locked, to be changed. */
const agentOf = rowsByKey({
  select: 'SELECT id, agent_info FROM instances',
  key: 'id',
  suffix: lockInOrder,
  read: (_tx, row: { readonly id: string; readonly agent_info: string | null }) =>
    readJsonOrNull<AgentRecord>(row.agent_info),
});

const changeAgent = updateById({
  table: 'instances',
  values: { agent_info: 'text' },
  set: (value) => `agent_info = ${value('agent_info')}, unreachable_since = NULL, rev = t.rev + 1`,
});

const forgetDisconnection = merged<WriteTx, string, void>(async (tx, instanceIds) => {
  const these = anyOf(tx.dialect, 'instance_id', instanceIds);
  const rows = inOrder(tx.dialect, 'jobs', `${these.sql} AND disconnected_at IS NOT NULL`);
  await tx.execute(`UPDATE jobs SET disconnected_at = NULL WHERE ${rows}`, these.params);
  return [];
});
