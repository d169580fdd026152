import type { JobState } from '@dstack/agent-protocol';
import type { JobTerminationReason, Offer, ProbeState, StopMode, Wire } from '@dstack/core';
import { lockInOrder } from '../persistence/in-order.js';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { withLazySpec } from '../reconcile/lazy-spec.js';
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

/** What lists show of a job, but its specification; what is known of its host as it is stored. */
export interface JobHead {
  readonly id: string;
  readonly runId: string;
  readonly jobNum: number;
  readonly replicaNum: number;
  readonly submissionNum: number;
  readonly deploymentNum: number;
  readonly status: Wire.JobStatus;
  readonly statusChangedAt: number;
  readonly submittedAt: number;
  readonly finishedAt: number | null;
  readonly terminationReason: JobTerminationReason | null;
  readonly terminationMessage: string | null;
  readonly exitStatus: number | null;
  readonly provisioningText: string | null;
  readonly runtimeText: string | null;
  readonly inactivitySecs: number | null;
  readonly pullProgress: Wire.ImagePullProgress | null;
  /** It gets requests of its service. */
  readonly registered: boolean;
  /** In the order of its specification; null when it has none, or does not run yet. */
  readonly probes: readonly ProbeState[] | null;
}

export interface ListedJob extends JobHead {
  /** As it is stored, what is secret in it sealed; absent: not read. */
  readonly specText?: string;
}

export interface JobRecord extends JobHead {
  readonly projectId: string;
  readonly replicaGroup: string;
  readonly runningAt: number | null;
  readonly runtime: 'container' | 'process' | null;
  readonly runtimeReason: string | null;
  readonly instanceId: string | null;
  readonly usedInstanceId: string | null;
  readonly blocks: number | null;
  readonly waitingMasterJob: boolean;
  readonly stopRequestedAt: number | null;
  readonly stopMode: StopMode | null;
  readonly disconnectedAt: number | null;
  /** Durable ends of the log streams; written when a stream has ended. */
  readonly logOffsets: { readonly job: number; readonly runner: number };
  /** When it first did. */
  readonly readyAt: number | null;
  /** Since when it gets no new requests, because it is not needed any more. */
  readonly drainingSince: number | null;
  /** Where it listens instead of the service's own port, which another replica on its machine has. */
  readonly servicePort: number | null;
  readonly rev: number;
  /** The same for as long as there is the job. */
  readonly spec: Wire.JobSpec;
  readonly provisioningData: Wire.JobProvisioningData | null;
  readonly runtimeRecord: JobRuntimeRecord;
}

interface HeadRow {
  id: string; run_id: string; job_num: number; replica_num: number; submission_num: number; deployment_num: number; status: string;
  status_changed_at: number; submitted_at: number; finished_at: number | null; termination_reason: string | null;
  termination_message: string | null; exit_status: number | null; provisioning_data: string | null; runtime_data: string | null;
  inactivity_secs: number | null; pull_progress: string | null; registered: boolean | number; probes: string | null;
} // prettier-ignore

const HEAD = `id, run_id, job_num, replica_num, submission_num, deployment_num, status, status_changed_at, submitted_at, finished_at,
  termination_reason, termination_message, exit_status, provisioning_data, runtime_data, inactivity_secs, pull_progress, registered, probes`;

interface Row extends HeadRow {
  project_id: string; replica_group: string | null; running_at: number | null; job_spec: string; runtime: string | null;
  runtime_reason: string | null; instance_id: string | null; used_instance_id: string | null; blocks: number | null;
  waiting_master_job: boolean | number; stop_requested_at: number | null; stop_mode: string | null; disconnected_at: number | null; rev: number;
  log_end_job: number | null; log_end_runner: number | null; ready_at: number | null; draining_since: number | null; service_port: number | null;
} // prettier-ignore

function toHead(row: HeadRow): JobHead {
  return {
    id: row.id,
    runId: row.run_id,
    jobNum: row.job_num,
    replicaNum: row.replica_num,
    submissionNum: row.submission_num,
    deploymentNum: row.deployment_num,
    status: row.status as Wire.JobStatus, // written from the same union
    statusChangedAt: Number(row.status_changed_at),
    submittedAt: Number(row.submitted_at),
    finishedAt: row.finished_at,
    terminationReason: row.termination_reason as JobTerminationReason | null,
    terminationMessage: row.termination_message,
    exitStatus: row.exit_status,
    provisioningText: row.provisioning_data,
    runtimeText: row.runtime_data,
    inactivitySecs: row.inactivity_secs,
    pullProgress: readJsonOrNull<Wire.ImagePullProgress>(row.pull_progress),
    registered: Boolean(row.registered),
    probes: readJsonOrNull<ProbeState[]>(row.probes),
  };
}

function toRecord({ sealing }: ReadTx, row: Row): JobRecord {
  return withLazySpec<Wire.JobSpec, Omit<JobRecord, 'spec'>>({ sealing }, row.job_spec, {
    ...toHead(row),
    ...hostOf({ provisioningText: row.provisioning_data, runtimeText: row.runtime_data }),
    projectId: row.project_id,
    replicaGroup: row.replica_group ?? '0',
    runningAt: row.running_at,
    runtime: row.runtime as JobRecord['runtime'],
    runtimeReason: row.runtime_reason,
    instanceId: row.instance_id,
    usedInstanceId: row.used_instance_id,
    blocks: row.blocks,
    waitingMasterJob: Boolean(row.waiting_master_job),
    stopRequestedAt: row.stop_requested_at,
    stopMode: row.stop_mode as StopMode | null,
    disconnectedAt: row.disconnected_at,
    // -1 until the stream has ended: even an empty log has to be seen to its end.
    logOffsets: { job: row.log_end_job ?? -1, runner: row.log_end_runner ?? -1 },
    readyAt: row.ready_at,
    drainingSince: row.draining_since,
    servicePort: row.service_port,
    rev: Number(row.rev),
  });
}

/** What is known of a job's host. */
export type HostOfJob = Pick<JobRecord, 'provisioningData' | 'runtimeRecord'>;

export function hostOf(job: Pick<JobHead, 'provisioningText' | 'runtimeText'>): HostOfJob {
  return {
    provisioningData: readJsonOrNull<Wire.JobProvisioningData>(job.provisioningText),
    runtimeRecord: readJsonOrNull<JobRuntimeRecord>(job.runtimeText) ?? NEW_RUNTIME,
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

export const findJobHeadsOfRun = rowsByKey({ select: `SELECT ${HEAD} FROM jobs`, key: 'run_id', read: (_tx, row: HeadRow) => toHead(row) }); // prettier-ignore

/** The same, with their specifications as they are stored. */
export const findListedJobsOfRun = rowsByKey({
  select: `SELECT ${HEAD}, job_spec FROM jobs`,
  key: 'run_id',
  read: (_tx, row: HeadRow & { readonly job_spec: string }): ListedJob => ({ ...toHead(row), specText: row.job_spec }),
});

/** Its specification as it is stored, what is secret in it sealed. */
export const specTextOfJob = rowsByKey({
  select: 'SELECT id, job_spec FROM jobs',
  key: 'id',
  read: (_tx, row: { readonly id: string; readonly job_spec: string }) => row.job_spec,
});

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

type SubmissionOfJob = Pick<JobHead, 'replicaNum' | 'jobNum' | 'submissionNum'>;

/** The latest submission of each (replica, job). */
export function latestSubmissions<Job extends SubmissionOfJob>(jobs: readonly Job[]): Job[] {
  const latest = new Map<string, Job>();
  for (const job of jobs) {
    const key = `${job.replicaNum}/${job.jobNum}`;
    const known = latest.get(key);
    if (known === undefined || known.submissionNum < job.submissionNum) latest.set(key, job);
  }
  return [...latest.values()].sort((a, b) => a.replicaNum - b.replicaNum || a.jobNum - b.jobNum);
}
