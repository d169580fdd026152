import type { ReadTx } from '../persistence/transaction.js';
import type { GatewayRecord } from './gateway-record.js';

/** A service that is reached through a gateway. */
export interface ServedRun {
  readonly id: string;
  readonly name: string;
  readonly project_id: string;
  readonly project_name: string;
}

export async function servicesOf(tx: ReadTx, { id }: GatewayRecord): Promise<ServedRun[]> {
  return tx.query<ServedRun>(
    `SELECT r.id, r.name, r.project_id, p.name AS project_name FROM runs r JOIN projects p ON p.id = r.project_id
     WHERE r.gateway_id = ? AND r.deleted = ? AND r.status NOT IN ('terminated', 'failed', 'done') ORDER BY r.name, p.name`,
    [id, false],
  );
}

export function inUse({ name, projectId }: GatewayRecord, services: readonly ServedRun[]): string {
  const runs = services.map((run) => (run.project_id === projectId ? run.name : `${run.project_name}/${run.name}`));
  return (
    `Gateway ${name} serves ${runs.join(', ')}. Stop them first, or delete it with \`--force\`: ` +
    'nobody reaches them then'
  );
}
