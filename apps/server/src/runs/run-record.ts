import type { GroupScale, PendingBecause, RunTerminationReason, Wire } from '@dstack/core';
import { anyOf } from '../persistence/any-of.js';
import { merged } from '../persistence/merged.js';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx, SqlValue } from '../persistence/transaction.js';
import { readSealed } from '../reconcile/sealed-json.js';
import { readJsonOrNull } from '../reconcile/stored-json.js';

export interface RunRecord {
  readonly id: string;
  readonly projectId: string;
  readonly userId: string;
  readonly repoId: string | null;
  readonly fleetId: string | null;
  /** Services: null when this server serves them itself. */
  readonly gatewayId: string | null;
  readonly name: string;
  readonly submittedAt: number;
  readonly status: Wire.RunStatus;
  readonly statusChangedAt: number;
  readonly finishedAt: number | null;
  readonly terminationReason: RunTerminationReason | null;
  readonly spec: Wire.RunSpec;
  /** As it is stored, what is secret in it sealed. */
  readonly specText: string;
  readonly priority: number;
  readonly deploymentNum: number;
  readonly desiredReplicaCount: number;
  readonly nextTriggeredAt: number | null;
  readonly resubmissionAttempt: number;
  readonly resumeAt: number | null;
  /** Why it was refused last; null since it was placed. */
  readonly pendingBecause: PendingBecause | null;
  /** Services: where they are reached. */
  readonly serviceSpec: Wire.ServiceSpec | null;
  /** Services: how many replicas each group shall have. */
  readonly replicaScale: Readonly<Record<string, GroupScale>>;
  /** Services: what comes back when the update that is under way fails. */
  readonly formerSpec: Wire.RunSpec | null;
  /** What became of the last update, when it did not go well. */
  readonly deploymentNote: string | null;
  readonly deleted: boolean;
  readonly rev: number;
}

interface Row {
  id: string; project_id: string; user_id: string; repo_id: string | null; fleet_id: string | null; name: string;
  submitted_at: number; status: string; status_changed_at: number; finished_at: number | null; termination_reason: string | null;
  run_spec: string; priority: number; deployment_num: number; desired_replica_count: number; next_triggered_at: number | null;
  resubmission_attempt: number; resume_at: number | null; pending_because: string | null; deleted: boolean | number; rev: number;
  service_spec: string | null; replica_scale: string | null; former_run_spec: string | null; deployment_note: string | null;
  gateway_id: string | null;
} // prettier-ignore

function toRecord({ sealing }: ReadTx, row: Row): RunRecord {
  let spec: Wire.RunSpec | undefined;
  return {
    id: row.id,
    projectId: row.project_id,
    userId: row.user_id,
    repoId: row.repo_id,
    fleetId: row.fleet_id,
    gatewayId: row.gateway_id,
    name: row.name,
    submittedAt: Number(row.submitted_at),
    status: row.status as Wire.RunStatus, // written from the same union
    statusChangedAt: Number(row.status_changed_at),
    finishedAt: row.finished_at,
    terminationReason: row.termination_reason as RunTerminationReason | null,
    // Lists send it on as it is.
    get spec() {
      return (spec ??= readSealed<Wire.RunSpec>({ sealing }, row.run_spec));
    },
    specText: row.run_spec,
    priority: row.priority,
    deploymentNum: row.deployment_num,
    desiredReplicaCount: row.desired_replica_count,
    nextTriggeredAt: row.next_triggered_at,
    resubmissionAttempt: row.resubmission_attempt,
    resumeAt: row.resume_at,
    pendingBecause: readJsonOrNull<PendingBecause>(row.pending_because),
    serviceSpec: readJsonOrNull<Wire.ServiceSpec>(row.service_spec),
    replicaScale: readJsonOrNull<Record<string, GroupScale>>(row.replica_scale) ?? {},
    formerSpec: row.former_run_spec === null ? null : readSealed<Wire.RunSpec>({ sealing }, row.former_run_spec),
    deploymentNote: row.deployment_note,
    deleted: Boolean(row.deleted),
    rev: Number(row.rev),
  };
}

export async function findRuns(tx: ReadTx, where: string, params: readonly SqlValue[]): Promise<RunRecord[]> {
  const rows = await tx.query<Row>(`SELECT * FROM runs WHERE ${where}`, params);
  return rows.map((row) => toRecord(tx, row));
}

/** Names are of those that are not deleted. */
export function findNamedRun(tx: ReadTx, projectId: string, name: string): Promise<RunRecord | null> {
  return namedRun(tx, { projectId, name });
}

const namedRun = merged<ReadTx, { readonly projectId: string; readonly name: string }, RunRecord | null>(
  async (tx, asked) => {
    const found: RunRecord[] = [];
    for (const [projectId, ofProject] of Map.groupBy(asked, (each) => each.projectId)) {
      const these = anyOf(tx.dialect, 'name', [...new Set(ofProject.map(({ name }) => name))]);
      found.push(
        ...(await findRuns(tx, `project_id = ? AND deleted = false AND ${these.sql}`, [projectId, ...these.params])),
      );
    }
    return asked.map(
      ({ projectId, name }) => found.find((run) => run.projectId === projectId && run.name === name) ?? null,
    );
  },
);

const runsById = rowsByKey({ select: 'SELECT * FROM runs', key: 'id', read: toRecord });

export async function findRun(tx: ReadTx, id: string): Promise<RunRecord | null> {
  return (await runsById(tx, id))[0] ?? null;
}
