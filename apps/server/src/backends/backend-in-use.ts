import type { ReadTx } from '../persistence/transaction.js';

/** Why a backend must stay configured: without it nobody could terminate what it made. */
export async function backendInUse(tx: ReadTx, projectId: string, type: string): Promise<string | undefined> {
  const live = await tx.query<{ name: string }>(
    `SELECT name FROM instances WHERE project_id = ? AND backend_type = ? AND deleted = false AND status <> 'terminated' LIMIT 5`,
    [projectId, type],
  );
  if (live.length > 0)
    return `Backend ${type} has live instances (${live.map(({ name }) => name).join(', ')}) and stays. Delete their fleets first`;
  const volumes = await tx.query<{ name: string }>(
    `SELECT name FROM volumes WHERE project_id = ? AND backend_type = ? AND deleted = false LIMIT 5`,
    [projectId, type],
  );
  if (volumes.length === 0) return undefined;
  return `Backend ${type} has volumes (${volumes.map(({ name }) => name).join(', ')}) and stays. Delete them first`;
}
