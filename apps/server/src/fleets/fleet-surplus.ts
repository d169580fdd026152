import type { FleetSurplus } from '@dstack/core';
import type { InstanceRecord } from '../instances/instance-record.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import type { Wake } from '../reconcile/wake.js';
import { type FleetRecord, nodesOf } from './fleet-record.js';

/** Of a machine that is not idle nobody asks. */
export const NO_SURPLUS: FleetSurplus = { machines: 0, goFirst: 0 };

const STAYS = `fleet_id = ? AND status NOT IN ('terminating', 'terminated') AND unwanted IS NULL AND deleted = false`;

/** What the fleet of an idle machine can spare. Most fleets want no machine that nobody uses, and are not counted. */
export async function surplusOf(
  tx: ReadTx,
  fleet: FleetRecord | null,
  { id, idleSince, statusChangedAt, idleSeconds }: InstanceRecord,
): Promise<FleetSurplus> {
  const min = fleet === null ? 0 : (nodesOf(fleet.spec)?.min ?? 0);
  if (fleet === null || min === 0) return { machines: Infinity, goFirst: 0 };
  const deadline = (idleSince ?? statusChangedAt) + (idleSeconds ?? 0) * 1000;
  const ends = 'COALESCE(idle_since, status_changed_at) + CAST(idle_seconds AS bigint) * 1000';
  const [row] = await tx.query<{ all_of_them: number; earlier: number }>(
    `SELECT COUNT(*) AS all_of_them,
       COALESCE(SUM(CASE WHEN status = 'idle' AND idle_seconds >= 0 AND (${ends} < ? OR (${ends} = ? AND id < ?)) THEN 1 ELSE 0 END), 0) AS earlier
     FROM instances WHERE ${STAYS}`,
    [deadline, deadline, id, fleet.id],
  );
  return { machines: Number(row?.all_of_them ?? 0) - min, goFirst: Number(row?.earlier ?? 0) };
}

/** Those that rest because their fleet needed them: it has more machines now, or wants fewer. */
export async function wakeIdleMachines(tx: WriteTx, wake: Wake, fleetId: string): Promise<void> {
  const idle = await tx.query<{ id: string }>(`SELECT id FROM instances WHERE ${STAYS} AND status = 'idle'`, [fleetId]);
  await wake.rows(tx, 'instances', idle.map(({ id }) => id)); // prettier-ignore
}
