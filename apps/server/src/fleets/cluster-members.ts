import type { ClusterMember, InternalBackendType } from '@dstack/core';
import type { MachineRecord } from '../instances/instance-record.js';
import type { ReadTx } from '../persistence/transaction.js';
import { readJsonOrNull } from '../reconcile/stored-json.js';

interface Row {
  readonly id: string;
  readonly num: number;
  readonly backend_type: InternalBackendType | null;
  readonly region: string | null;
  readonly zone: string | null;
  readonly machine: string | null;
}

/** The machines of a cluster that are there or are being made. */
export async function clusterMembers(tx: ReadTx, fleetId: string): Promise<ClusterMember[]> {
  const rows = await tx.query<Row>(
    `SELECT id, instance_num AS num, backend_type, region, zone, machine FROM instances
     WHERE fleet_id = ? AND deleted = false AND status NOT IN ('terminating', 'terminated')`,
    [fleetId],
  );
  return rows.map(({ id, num, backend_type: backend, region, zone, machine }) => {
    const ref = readJsonOrNull<MachineRecord>(machine)?.ref;
    const isThere = ref !== undefined && backend !== null && region !== null;
    return { id, instanceNum: Number(num), at: isThere ? { backend, region, zone: ref.zone ?? zone } : null };
  });
}
