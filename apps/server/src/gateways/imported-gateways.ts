import type { ReadTx } from '../persistence/transaction.js';
import { findGateways, type GatewayRecord } from './gateway-record.js';

const SHARED = `id IN (SELECT eg.gateway_id FROM exported_gateways eg JOIN imports im ON im.export_id = eg.export_id WHERE im.project_id = ?)
  AND deleted = ?`;

/** What other projects share with this one, the newest first. */
export function findImportedGateways(tx: ReadTx, projectId: string): Promise<GatewayRecord[]> {
  return findGateways(tx, `${SHARED} ORDER BY created_at DESC, id`, [projectId, false]);
}

/** Null: the project of that name has no such gateway, or does not share it. */
export async function findImportedGateway(
  tx: ReadTx,
  projectId: string,
  owner: string,
  name: string,
): Promise<GatewayRecord | null> {
  const [found] = await findGateways(
    tx,
    `${SHARED} AND name = ? AND project_id IN (SELECT id FROM projects WHERE name = ? AND deleted = ?)`,
    [projectId, false, name, owner, false],
  );
  return found ?? null;
}

/** The projects that may serve through a gateway of another one. */
export async function importersOfGateway(tx: ReadTx, gatewayId: string): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ project_id: string }>(
    `SELECT im.project_id FROM exported_gateways eg JOIN imports im ON im.export_id = eg.export_id WHERE eg.gateway_id = ?`,
    [gatewayId],
  );
  return new Set(rows.map((row) => row.project_id));
}
