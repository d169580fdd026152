import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { type FleetRecord, nodesOf } from './fleet-record.js';

/** Of the table `instances`. */
export const IS_NODE = `(status NOT IN ('terminating', 'terminated') OR (status = 'terminating' AND busy_blocks > 0))`;

/**
 * Two replicas never take the last node of a fleet, or the same number in it. What rests on how many nodes it has is decided anew – where
 * it has bounds: of one without, only its end matters, and machines that are on their way do not wait for each other.
 * @returns whether it is there to take one
 */
export async function holdFleet(tx: WriteTx, fleet: FleetRecord): Promise<boolean> {
  if (isBounded(fleet)) {
    const held = await tx.execute(`UPDATE fleets SET rev = rev + 1 WHERE id = ? AND status = 'active'`, [fleet.id]);
    return held === 1;
  }
  const lock = tx.dialect === 'postgres' ? ' FOR SHARE' : '';
  if (tx.dialect === 'postgres') await tx.query('SELECT pg_advisory_xact_lock(hashtext(?))', [fleet.id]);
  const rows = await tx.query(`SELECT id FROM fleets WHERE id = ? AND status = 'active'${lock}`, [fleet.id]);
  return rows.length === 1;
}

function isBounded({ spec }: FleetRecord): boolean {
  const nodes = nodesOf(spec);
  return nodes !== null && (nodes.target > 0 || nodes.max !== null);
}

/** A machine that is going is still a node while a job is on it: the job may need another in its place. */
export async function hasRoom(
  tx: ReadTx,
  fleet: FleetRecord,
  { without = '' }: { readonly without?: string } = {},
): Promise<boolean> {
  const max = nodesOf(fleet.spec)?.max ?? null;
  if (max === null) return true;
  const [row] = await tx.query<{ n: number }>(
    `SELECT COUNT(*) AS n FROM instances WHERE fleet_id = ? AND id <> ? AND ${IS_NODE}`,
    [fleet.id, without],
  );
  return Number(row?.n ?? 0) < max;
}
