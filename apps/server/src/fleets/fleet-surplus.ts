import { type FleetPeer, type FleetSurplus, fleetSurplus } from '@dstack/core';
import type { InstanceRecord } from '../instances/instance-record.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import type { Wake } from '../reconcile/wake.js';
import { type FleetRecord, nodesOf } from './fleet-record.js';

/** Of a machine that is not idle nobody asks. */
export const NO_SURPLUS: FleetSurplus = { machines: 0, goFirst: 0 };

const STAYS = `fleet_id = ? AND status NOT IN ('terminating', 'terminated') AND unwanted IS NULL AND deleted = false`;

/** What the fleet of an idle machine can spare. Most fleets want no machine that nobody uses: theirs are not read. */
export async function surplusOf(
  tx: ReadTx,
  fleet: FleetRecord | null,
  { id, status, idleSince, statusChangedAt, idleSeconds }: InstanceRecord,
): Promise<FleetSurplus> {
  const min = fleet === null ? 0 : (nodesOf(fleet.spec)?.min ?? 0);
  const one: FleetPeer = { id, isIdle: status === 'idle', idleSince, statusChangedAt, idleSeconds };
  return fleetSurplus(min, one, fleet === null || min === 0 ? [] : await peersIn(tx, fleet.id));
}

interface PeerRow {
  id: string;
  status: string;
  idle_since: number | null;
  status_changed_at: number;
  idle_seconds: number | null;
}

async function peersIn(tx: ReadTx, fleetId: string): Promise<FleetPeer[]> {
  const rows = await tx.query<PeerRow>(
    `SELECT id, status, idle_since, status_changed_at, idle_seconds FROM instances WHERE ${STAYS}`,
    [fleetId],
  );
  return rows.map((row) => ({
    id: row.id,
    isIdle: row.status === 'idle',
    idleSince: row.idle_since,
    statusChangedAt: Number(row.status_changed_at),
    idleSeconds: row.idle_seconds,
  }));
}

/** Those that rest because their fleet needed them: it has more machines now, or wants fewer. */
export async function wakeIdleMachines(tx: WriteTx, wake: Wake, fleetId: string): Promise<void> {
  const idle = await tx.query<{ id: string }>(`SELECT id FROM instances WHERE ${STAYS} AND status = 'idle'`, [fleetId]);
  await wake.rows(tx, 'instances', idle.map(({ id }) => id)); // prettier-ignore
}
