import type { ReadTx } from '../persistence/transaction.js';
import { findGateways, type GatewayRecord } from './gateway-record.js';

const SHARED_WITH = `id IN (SELECT eg.gateway_id FROM exported_gateways eg JOIN imports im ON im.export_id = eg.export_id
  WHERE im.project_id = ?)`;

/** Gateways of other projects that are shared with this one. */
export function findImportedGateways(tx: ReadTx, projectId: string): Promise<GatewayRecord[]> {
  return findGateways(tx, `${SHARED_WITH} AND deleted = ? ORDER BY created_at DESC, id`, [projectId, false]);
}

/** @param owner name of the project whose it is */
export async function findImportedGateway(
  tx: ReadTx,
  projectId: string,
  owner: string,
  name: string,
): Promise<GatewayRecord | null> {
  const [found] = await findGateways(
    tx,
    `${SHARED_WITH} AND name = ? AND deleted = ?
       AND project_id IN (SELECT id FROM projects WHERE lower(name) = lower(?) AND deleted = ?)`,
    [projectId, name, false, owner, false],
  );
  return found ?? null;
}

/** Projects that a gateway of another one is shared with: their ids and names. */
export function importersOfGateway(tx: ReadTx, gatewayId: string): Promise<{ id: string; name: string }[]> {
  return tx.query<{ id: string; name: string }>(
    `SELECT DISTINCT p.id, p.name FROM exported_gateways eg JOIN imports im ON im.export_id = eg.export_id
     JOIN projects p ON p.id = im.project_id WHERE eg.gateway_id = ? AND p.deleted = ? ORDER BY p.name`,
    [gatewayId, false],
  );
}

export async function isSharedWithUser(
  tx: ReadTx,
  { id }: Pick<GatewayRecord, 'id'>,
  userId: string,
): Promise<boolean> {
  const rows = await tx.query(
    `SELECT im.id FROM exported_gateways eg JOIN imports im ON im.export_id = eg.export_id
     JOIN members m ON m.project_id = im.project_id WHERE eg.gateway_id = ? AND m.user_id = ? LIMIT 1`,
    [id, userId],
  );
  return rows.length > 0;
}
