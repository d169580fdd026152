import type { GatewayRefusal } from '@dstack/core';
import type { ReadTx } from '../persistence/transaction.js';

/** What the gateway of a service makes of it, all its replicas together. */
export interface GatewayStanding {
  readonly refusal: GatewayRefusal | null;
  /** Jobs that get requests by every replica that can be reached; null: none can, and what was last said holds. */
  readonly served: ReadonlySet<string> | null;
}

interface ReplicaRow {
  readonly id: string;
  readonly unreachable_since: number | null;
}

interface RegistrationRow {
  readonly replica_id: string;
  readonly job_id: string;
  readonly is_registered: boolean | number;
  readonly lasting: boolean | number;
  readonly since: number;
}

export async function readStanding(tx: ReadTx, runId: string, gatewayId: string): Promise<GatewayStanding> {
  const replicas = await tx.query<ReplicaRow>(
    `SELECT id, unreachable_since FROM gateway_replicas WHERE gateway_id = ? AND status = 'running' AND unwanted = ? AND deleted = ?`,
    [gatewayId, false, false],
  );
  const rows = await tx.query<RegistrationRow>(
    'SELECT replica_id, job_id, is_registered, lasting, since FROM gateway_registrations WHERE run_id = ?',
    [runId],
  );
  return { refusal: refusalOf(replicas, rows), served: servedBy(replicas, rows) };
}

/** With no replica that runs nobody refuses anything. */
function refusalOf(replicas: readonly ReplicaRow[], rows: readonly RegistrationRow[]): GatewayRefusal | null {
  const refusals = replicas.map(({ id }) =>
    rows.find((row) => row.replica_id === id && row.job_id === '' && !row.is_registered),
  );
  const known = refusals.filter((row) => row !== undefined);
  if (known.length === 0 || known.length < replicas.length) return null;
  return { since: Math.max(...known.map(({ since }) => Number(since))), isLasting: known.every((row) => row.lasting) };
}

function servedBy(replicas: readonly ReplicaRow[], rows: readonly RegistrationRow[]): ReadonlySet<string> | null {
  const [first, ...others] = replicas.filter((replica) => replica.unreachable_since === null).map(({ id }) => id);
  if (first === undefined) return null;
  const jobsOf = (id: string): string[] =>
    rows.filter((row) => row.replica_id === id && row.job_id !== '' && row.is_registered).map((row) => row.job_id);
  const elsewhere = others.map((id) => new Set(jobsOf(id)));
  return new Set(jobsOf(first).filter((jobId) => elsewhere.every((jobs) => jobs.has(jobId))));
}
