import type { GroupScale, PendingBecause, RunTerminationReason, Wire } from '@dstack/core';
import { anyOf } from '../persistence/any-of.js';
import { merged } from '../persistence/merged.js';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx, SqlValue } from '../persistence/transaction.js';
import { withLazySpec } from '../reconcile/lazy-spec.js';
import { readSealed } from '../reconcile/sealed-json.js';
import { readJsonOrNull } from '../reconcile/stored-json.js';

/** What lists show of a run, but its specification, which is most of its row. */
export interface RunHead {
  readonly id: string;
  readonly projectId: string;
  readonly userId: string;
  readonly fleetId: string | null;
  readonly name: string;
  readonly submittedAt: number;
  readonly status: Wire.RunStatus;
  readonly statusChangedAt: number;
  readonly terminationReason: RunTerminationReason | null;
  /** Another one with each change of its specification. */
  readonly deploymentNum: number;
  readonly nextTriggeredAt: number | null;
  /** Why it was refused last; null since it was placed. */
  readonly pendingBecause: PendingBecause | null;
  /** Services: where they are reached. */
  readonly serviceSpec: Wire.ServiceSpec | null;
  /** What became of the last update, when it did not go well. */
  readonly deploymentNote: string | null;
  readonly deleted: boolean;
}

export interface RunRecord extends RunHead {
  readonly repoId: string | null;
  /** Services: null when this server serves them itself. */
  readonly gatewayId: string | null;
  readonly finishedAt: number | null;
  readonly priority: number;
  readonly desiredReplicaCount: number;
  readonly resubmissionAttempt: number;
  readonly resumeAt: number | null;
  /** Services: how many replicas each group shall have. */
  readonly replicaScale: Readonly<Record<string, GroupScale>>;
  readonly rev: number;
  readonly spec: Wire.RunSpec;
  /** Services: what comes back when the update that is under way fails. */
  readonly formerSpec: Wire.RunSpec | null;
}

interface HeadRow {
  id: string; project_id: string; user_id: string; fleet_id: string | null; name: string; submitted_at: number; status: string;
  status_changed_at: number; termination_reason: string | null; deployment_num: number; next_triggered_at: number | null;
  pending_because: string | null; service_spec: string | null; deployment_note: string | null; deleted: boolean | number;
} // prettier-ignore

const HEAD = `id, project_id, user_id, fleet_id, name, submitted_at, status, status_changed_at, termination_reason, deployment_num,
  next_triggered_at, pending_because, service_spec, deployment_note, deleted`;

interface Row extends HeadRow {
  repo_id: string | null; gateway_id: string | null; finished_at: number | null; run_spec: string; former_run_spec: string | null;
  priority: number; desired_replica_count: number; resubmission_attempt: number; resume_at: number | null; replica_scale: string | null;
  rev: number;
} // prettier-ignore

function toHead(row: HeadRow): RunHead {
  return {
    id: row.id,
    projectId: row.project_id,
    userId: row.user_id,
    fleetId: row.fleet_id,
    name: row.name,
    submittedAt: Number(row.submitted_at),
    status: row.status as Wire.RunStatus, // written from the same union
    statusChangedAt: Number(row.status_changed_at),
    terminationReason: row.termination_reason as RunTerminationReason | null,
    deploymentNum: row.deployment_num,
    nextTriggeredAt: row.next_triggered_at,
    pendingBecause: readJsonOrNull<PendingBecause>(row.pending_because),
    serviceSpec: readJsonOrNull<Wire.ServiceSpec>(row.service_spec),
    deploymentNote: row.deployment_note,
    deleted: Boolean(row.deleted),
  };
}

function toRecord({ sealing }: ReadTx, row: Row): RunRecord {
  return withLazySpec<Wire.RunSpec, Omit<RunRecord, 'spec'>>({ sealing }, row.run_spec, {
    ...toHead(row),
    repoId: row.repo_id,
    gatewayId: row.gateway_id,
    finishedAt: row.finished_at,
    priority: row.priority,
    desiredReplicaCount: row.desired_replica_count,
    resubmissionAttempt: row.resubmission_attempt,
    resumeAt: row.resume_at,
    replicaScale: readJsonOrNull<Record<string, GroupScale>>(row.replica_scale) ?? {},
    rev: Number(row.rev),
    formerSpec: row.former_run_spec === null ? null : readSealed<Wire.RunSpec>({ sealing }, row.former_run_spec),
  });
}

export async function findRunHeads(tx: ReadTx, where: string, params: readonly SqlValue[]): Promise<RunHead[]> {
  const rows = await tx.query<HeadRow>(`SELECT ${HEAD} FROM runs WHERE ${where}`, params);
  return rows.map(toHead);
}

/** Its specification as it is stored, what is secret in it sealed. */
export const specTextOfRun = rowsByKey({
  select: 'SELECT id, run_spec FROM runs',
  key: 'id',
  read: (_tx, row: { readonly id: string; readonly run_spec: string }) => row.run_spec,
});

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
