import { DEFAULT_FLEET_IDLE_SECONDS, instanceName, lowestFreeNumber, type Place, type Wire } from '@dstack/core';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { writeJson } from '../reconcile/stored-json.js';
import { rowId } from '../world/row-id.js';
import type { World } from '../world/world.js';
import type { FleetRecord } from './fleet-record.js';

export interface NewInstance {
  readonly requirements: Wire.Requirements;
  readonly profile: Wire.Profile;
  readonly provisioningJobId: string | null;
  /** Where its job was promised a place; another one may be found when it is launched. */
  readonly place?: Place;
  readonly busyBlocks: number;
  readonly idleSeconds?: number | null;
  /** Made by one call with others; without an id: it is the first of them. */
  readonly group?: { readonly id: string | null; readonly rank: number; readonly size: number } | null;
}

/** Inserts a pending instance with the lowest free number of its fleet. Returns its id. */
export async function insertInstance(
  tx: WriteTx,
  world: World,
  fleet: Pick<FleetRecord, 'id' | 'name' | 'projectId'>,
  instance: NewInstance,
): Promise<{ id: string; name: string }> {
  const now = await tx.now();
  const num = await nextInstanceNumber(tx, fleet.id);
  const id = rowId(world);
  const name = instanceName(fleet.name, num);
  const { group = null } = instance;
  const idle = instance.idleSeconds === undefined ? DEFAULT_FLEET_IDLE_SECONDS : instance.idleSeconds;
  await tx.execute(
    `INSERT INTO instances (id, project_id, fleet_id, instance_num, name, status, status_changed_at, created_at, requirements, profile,
       backend_type, region, total_blocks, busy_blocks, idle_seconds, provisioning_job_id, next_due_at, group_id, group_rank, group_size)
     VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)`,
    [
      id, fleet.projectId, fleet.id, num, name, now, now, writeJson(instance.requirements), writeJson(instance.profile),
      instance.place?.backend ?? null, instance.place?.region ?? null, instance.busyBlocks, idle, instance.provisioningJobId, now,
      group === null ? null : (group.id ?? id), group?.rank ?? null, group?.size ?? null,
    ], // prettier-ignore
  );
  return { id, name };
}

/** Of a transaction that makes many: the fleets whose numbers have no gap, and the next number of each. */
const nextNumbers = new WeakMap<WriteTx, Map<string, number>>();

/** As `freeInstanceNumber`, for one who inserts it at once and keeps others from doing so until the transaction ends. */
async function nextInstanceNumber(tx: WriteTx, fleetId: string): Promise<number> {
  const known = nextNumbers.get(tx) ?? new Map<string, number>();
  nextNumbers.set(tx, known);
  const next = known.get(fleetId);
  if (next !== undefined) {
    known.set(fleetId, next + 1);
    return next;
  }
  const { free, isAboveAll } = await freeNumber(tx, fleetId);
  if (isAboveAll) known.set(fleetId, free + 1);
  return free;
}

/** The lowest that no instance of the fleet has. */
export async function freeInstanceNumber(tx: ReadTx, fleetId: string): Promise<number> {
  return (await freeNumber(tx, fleetId)).free;
}

/** Only where some below the highest came free are all of them looked at. */
async function freeNumber(
  tx: ReadTx,
  fleetId: string,
): Promise<{ readonly free: number; readonly isAboveAll: boolean }> {
  const ofFleet = 'FROM instances WHERE fleet_id = ? AND deleted = false';
  const [all] = await tx.query<{ n: number; highest: number | null }>(
    `SELECT COUNT(*) AS n, MAX(instance_num) AS highest ${ofFleet}`,
    [fleetId],
  );
  const count = Number(all?.n ?? 0);
  if (count === 0 || Number(all?.highest) === count - 1) return { free: count, isAboveAll: true };
  const used = await tx.query<{ n: number }>(`SELECT instance_num AS n ${ofFleet}`, [fleetId]);
  return { free: lowestFreeNumber(used.map((row) => Number(row.n))), isAboveAll: false };
}
