import type { InstanceRecord } from '../instances/instance-record.js';
import type { JobRecord } from '../jobs/job-record.js';
import type { WriteTx } from '../persistence/transaction.js';

/** Where the replica listens, as seen from inside it; null: the job is no replica of a service. */
export function servicePortOf({ servicePort, spec }: Pick<JobRecord, 'servicePort' | 'spec'>): number | null {
  return servicePort ?? spec.service_port ?? null;
}

const LOCK = 'service ports';
const HIGHEST_PORT = 65_535;

/**
 * A replica that is a process has the ports of its machine, and there may be others: the first one gets the service's own port, the others
 * the next ones. They find theirs in their environment. A job keeps what it was given.
 */
export async function takeServicePort(
  tx: WriteTx,
  job: Pick<JobRecord, 'id' | 'spec'>,
  instance: Pick<InstanceRecord, 'id' | 'backendType'>,
): Promise<number> {
  const wanted = job.spec.service_port ?? 0;
  await tx.execute('INSERT INTO leases (name, token) VALUES (?, 0) ON CONFLICT (name) DO NOTHING', [LOCK]);
  // Two that start at the same moment shall not get the same.
  await tx.execute('UPDATE leases SET token = token + 1 WHERE name = ?', [LOCK]);
  const [own] = await tx.query<{ service_port: number | null }>('SELECT service_port FROM jobs WHERE id = ?', [job.id]);
  if (own?.service_port !== null && own?.service_port !== undefined) return own.service_port;
  // All instances of the backend `local` are one machine.
  const rows = await tx.query<{ service_port: number }>(
    `SELECT j.service_port FROM jobs j JOIN instances i ON i.id = j.instance_id
     WHERE j.service_port IS NOT NULL AND j.status NOT IN ('terminated', 'aborted', 'failed', 'done')
       AND (i.id = ? OR (i.backend_type = 'local' AND ? = 'local'))`,
    [instance.id, instance.backendType],
  );
  const taken = new Set(rows.map((row) => row.service_port));
  let port = wanted;
  while (taken.has(port) && port < HIGHEST_PORT) port += 1;
  await tx.execute('UPDATE jobs SET service_port = ? WHERE id = ?', [port, job.id]);
  return port;
}
