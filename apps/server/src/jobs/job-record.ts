import type { JobState } from '@dstack/agent-protocol';
import type { JobTerminationReason, Offer, ProbeState, StopMode, Wire } from '@dstack/core';
import { lockInOrder } from '../persistence/in-order.js';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { readSealed } from '../reconcile/sealed-json.js';
import { readJsonOrNull } from '../reconcile/stored-json.js';

/** What the server knows about the job on its host. */
export interface JobRuntimeRecord {
  /** The last state the agent told; only a higher revision replaces it. */
  readonly agent: JobState | null;
  /** The strongest stop the agent has confirmed to have received. */
  readonly stopSent: StopMode | null;
  readonly offer: Offer | null;
  readonly networkMode: Wire.NetworkMode;
  /** Why the job cannot be handed to an agent. */
  readonly startError: string | null;
  /** It is over, and its host still has the end of its log. */
  readonly owesLog?: boolean;
  /** That were made for it in this submission, and failed to start. */
  readonly failedMachines?: number;
}

export const NEW_RUNTIME: JobRuntimeRecord = {
  agent: null,
  stopSent: null,
  offer: null,
  networkMode: 'host',
  startError: null,
};

export interface JobRecord {
  readonly id: string;
  readonly runId: string;
  readonly projectId: string;
  readonly jobNum: number;
  readonly replicaNum: number;
  readonly replicaGroup: string;
  readonly submissionNum: number;
  readonly deploymentNum: number;
  readonly status: Wire.JobStatus;
  readonly statusChangedAt: number;
  readonly submittedAt: number;
  readonly runningAt: number | null;
  readonly finishedAt: number | null;
  readonly terminationReason: JobTerminationReason | null;
  readonly terminationMessage: string | null;
  readonly exitStatus: number | null;
  readonly spec: Wire.JobSpec;
  /** As it is stored, what is secret in it sealed. */
  readonly specText: string;
  readonly provisioningData: Wire.JobProvisioningData | null;
  readonly runtimeRecord: JobRuntimeRecord;
  readonly runtime: 'container' | 'process' | null;
  readonly runtimeReason: string | null;
  readonly instanceId: string | null;
  readonly usedInstanceId: string | null;
  readonly blocks: number | null;
  readonly waitingMasterJob: boolean;
  readonly stopRequestedAt: number | null;
  readonly stopMode: StopMode | null;
  readonly disconnectedAt: number | null;
  readonly inactivitySecs: number | null;
  readonly pullProgress: Wire.ImagePullProgress | null;
  /** Durable ends of the log streams; written when a stream has ended. */
  readonly logOffsets: { readonly job: number; readonly runner: number };
  /** It gets requests of its service. */
  readonly registered: boolean;
  /** When it first did. */
  readonly readyAt: number | null;
  /** Since when it gets no new requests, because it is not needed any more. */
  readonly drainingSince: number | null;
  /** Where it listens instead of the service's own port, which another replica on its machine has. */
  readonly servicePort: number | null;
  /** In the order of its specification; null when it has none, or does not run yet. */
  readonly probes: readonly ProbeState[] | null;
  readonly rev: number;
}

interface Row {
  id: string; run_id: string; project_id: string; job_num: number; replica_num: number; replica_group: string | null; submission_num: number;
  deployment_num: number; status: string; status_changed_at: number; submitted_at: number; running_at: number | null;
  finished_at: number | null; termination_reason: string | null; termination_message: string | null; exit_status: number | null;
  job_spec: string; provisioning_data: string | null; runtime_data: string | null; runtime: string | null;
  runtime_reason: string | null; instance_id: string | null; used_instance_id: string | null; blocks: number | null;
  waiting_master_job: boolean | number; stop_requested_at: number | null; stop_mode: string | null;
  disconnected_at: number | null; inactivity_secs: number | null; pull_progress: string | null; rev: number;
  log_end_job: number | null; log_end_runner: number | null; registered: boolean | number; ready_at: number | null;
  draining_since: number | null; service_port: number | null; probes: string | null;
} // prettier-ignore

function toRecord({ sealing }: ReadTx, row: Row): JobRecord {
  let spec: Wire.JobSpec | undefined;
  return {
    id: row.id,
    runId: row.run_id,
    projectId: row.project_id,
    jobNum: row.job_num,
    replicaNum: row.replica_num,
    replicaGroup: row.replica_group ?? '0',
    submissionNum: row.submission_num,
    deploymentNum: row.deployment_num,
    status: row.status as Wire.JobStatus, // written from the same union
    statusChangedAt: Number(row.status_changed_at),
    submittedAt: Number(row.submitted_at),
    runningAt: row.running_at,
    finishedAt: row.finished_at,
    terminationReason: row.termination_reason as JobTerminationReason | null,
    terminationMessage: row.termination_message,
    exitStatus: row.exit_status,
    // Most of the row by far, and few who read jobs look at it.
    get spec() {
      return (spec ??= readSealed<Wire.JobSpec>({ sealing }, row.job_spec));
    },
    specText: row.job_spec,
    provisioningData: readJsonOrNull<Wire.JobProvisioningData>(row.provisioning_data),
    runtimeRecord: readJsonOrNull<JobRuntimeRecord>(row.runtime_data) ?? NEW_RUNTIME,
    runtime: row.runtime as JobRecord['runtime'],
    runtimeReason: row.runtime_reason,
    instanceId: row.instance_id,
    usedInstanceId: row.used_instance_id,
    blocks: row.blocks,
    waitingMasterJob: Boolean(row.waiting_master_job),
    stopRequestedAt: row.stop_requested_at,
    stopMode: row.stop_mode as StopMode | null,
    disconnectedAt: row.disconnected_at,
    inactivitySecs: row.inactivity_secs,
    pullProgress: readJsonOrNull<Wire.ImagePullProgress>(row.pull_progress),
    // -1 until the stream has ended: even an empty log has to be seen to its end.
    logOffsets: { job: row.log_end_job ?? -1, runner: row.log_end_runner ?? -1 },
    registered: Boolean(row.registered),
    readyAt: row.ready_at,
    drainingSince: row.draining_since,
    servicePort: row.service_port,
    probes: readJsonOrNull<ProbeState[]>(row.probes),
    rev: Number(row.rev),
  };
}

type Param = string | number | boolean | null;

export async function findJobs(tx: ReadTx, where: string, params: readonly Param[]): Promise<JobRecord[]> {
  const rows = await tx.query<Row>(`SELECT * FROM jobs WHERE ${where}`, params);
  return rows.map((row) => toRecord(tx, row));
}

const jobsById = rowsByKey({ select: 'SELECT * FROM jobs', key: 'id', read: toRecord });

export async function findJob(tx: ReadTx, id: string): Promise<JobRecord | null> {
  return (await jobsById(tx, id))[0] ?? null;
}

const lockedJobsById = rowsByKey({ select: 'SELECT * FROM jobs', key: 'id', suffix: lockInOrder, read: toRecord });

/** Nobody else changes it until the transaction ends. */
export async function findJobToChange(tx: WriteTx, id: string): Promise<JobRecord | null> {
  return (await lockedJobsById(tx, id))[0] ?? null;
}

export const findJobsOfRun = rowsByKey({ select: 'SELECT * FROM jobs', key: 'run_id', read: toRecord });

/** Those that are on a machine. */
export const findJobsOn = rowsByKey<JobOnInstance, JobOnInstance>({
  select: 'SELECT id, status, instance_id FROM jobs',
  key: 'instance_id',
  read: (_tx, row) => row,
});

interface JobOnInstance {
  readonly id: string;
  readonly status: string;
  readonly instance_id: string;
}

/** The machine that has something of it: it runs there, or it is over and the end of its log is there. */
export function hostIdOf({ instanceId, usedInstanceId, runtimeRecord }: JobRecord): string | null {
  return instanceId ?? (runtimeRecord.owesLog === true ? usedInstanceId : null);
}

/** The latest submission of each (replica, job). */
export function latestSubmissions(jobs: readonly JobRecord[]): JobRecord[] {
  const latest = new Map<string, JobRecord>();
  for (const job of jobs) {
    const key = `${job.replicaNum}/${job.jobNum}`;
    const known = latest.get(key);
    if (known === undefined || known.submissionNum < job.submissionNum) latest.set(key, job);
  }
  return [...latest.values()].sort((a, b) => a.replicaNum - b.replicaNum || a.jobNum - b.jobNum);
}
