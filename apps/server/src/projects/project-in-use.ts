import { findFleets } from '../fleets/fleet-record.js';
import type { ReadTx } from '../persistence/transaction.js';

const FINAL_RUNS = `('terminated', 'failed', 'done')`;

/** Why a project must stay, and what to do about it; undefined when nothing of it is alive. */
export async function projectInUse(tx: ReadTx, projectId: string): Promise<string | undefined> {
  const runs = await tx.query<{ name: string }>(
    `SELECT name FROM runs WHERE project_id = ? AND deleted = false AND status NOT IN ${FINAL_RUNS} LIMIT 5`,
    [projectId],
  );
  if (runs.length > 0) return `it has unfinished runs (${runs.map((run) => run.name).join(', ')}). Stop them first`;
  const instances = await tx.query<{ name: string }>(
    `SELECT name FROM instances WHERE project_id = ? AND deleted = false AND status <> 'terminated' LIMIT 5`,
    [projectId],
  );
  if (instances.length > 0)
    return `it has live instances (${instances.map((instance) => instance.name).join(', ')}). Delete their fleets first`;
  const volumes = await tx.query<{ name: string }>(
    `SELECT name FROM volumes WHERE project_id = ? AND deleted = false LIMIT 5`,
    [projectId],
  );
  if (volumes.length > 0)
    return `it has volumes (${volumes.map((volume) => volume.name).join(', ')}). Delete them first`;
  const gateways = await tx.query<{ name: string }>(
    `SELECT name FROM gateways WHERE project_id = ? AND deleted = false LIMIT 5`,
    [projectId],
  );
  if (gateways.length > 0)
    return `it has gateways (${gateways.map((gateway) => gateway.name).join(', ')}). Delete them first`;
  // The fleet that came by itself is nothing a user has to clean up.
  const own = await findFleets(tx, 'project_id = ? AND deleted = ?', [projectId, false]);
  const fleets = own.filter((fleet) => fleet.spec.autocreated !== true).slice(0, 5);
  if (fleets.length > 0) return `it has fleets (${fleets.map((fleet) => fleet.name).join(', ')}). Delete them first`;
  return undefined;
}
