import type { Wire } from '@dstack/core';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx, SqlValue } from '../persistence/transaction.js';
import { readSealed } from '../reconcile/sealed-json.js';

export interface FleetRecord {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly status: Wire.FleetStatus;
  readonly statusMessage: string | null;
  readonly spec: Wire.FleetSpec;
  readonly createdAt: number;
  readonly deleted: boolean;
  readonly lastConsolidatedAt: number | null;
  readonly consolidationAttempt: number;
  readonly rev: number;
}

export interface FleetRow {
  id: string; project_id: string; name: string; status: string; status_message: string | null; spec: string; created_at: number;
  deleted: boolean | number; last_consolidated_at: number | null; consolidation_attempt: number; rev: number;
} // prettier-ignore

export function toFleetRecord(tx: ReadTx, row: FleetRow): FleetRecord {
  return {
    id: row.id,
    projectId: row.project_id,
    name: row.name,
    status: row.status as Wire.FleetStatus, // written from the same union
    statusMessage: row.status_message,
    spec: readSealed<Wire.FleetSpec>(tx, row.spec),
    createdAt: Number(row.created_at),
    deleted: Boolean(row.deleted),
    lastConsolidatedAt: row.last_consolidated_at,
    consolidationAttempt: row.consolidation_attempt,
    rev: Number(row.rev),
  };
}

export async function findFleets(tx: ReadTx, where: string, params: readonly SqlValue[]): Promise<FleetRecord[]> {
  const rows = await tx.query<FleetRow>(`SELECT * FROM fleets WHERE ${where}`, params);
  return rows.map((row) => toFleetRecord(tx, row));
}

const fleetsById = rowsByKey({ select: 'SELECT * FROM fleets', key: 'id', read: toFleetRecord });

export async function findFleet(tx: ReadTx, id: string): Promise<FleetRecord | null> {
  return (await fleetsById(tx, id))[0] ?? null;
}

/** The fleet's node bounds; null for a fleet of given hosts. */
export function nodesOf(spec: Wire.FleetSpec): { min: number; target: number; max: number | null } | null {
  const nodes = spec.configuration.nodes;
  if (!nodes) return null;
  const min = nodes.min ?? 0;
  return { min, target: nodes.target ?? min, max: nodes.max ?? null };
}
