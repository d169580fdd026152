import {
  costUsd,
  jobConnectionInfo,
  jobError,
  jobStatusMessage,
  pendingReasons,
  type PricedInterval,
  runError,
  runStatusMessage,
  type SshProxy,
  toWireOffer,
  type Wire,
} from '@dstack/core';
import { toWireTime } from '../http/wire-time.js';
import { type HostOfJob, type JobHead, type JobRecord, latestSubmissions } from '../jobs/job-record.js';
import { redactJobSpec, redactRunSpec } from './redact.js';
import type { RunHead, RunRecord } from './run-record.js';

export interface RunFacts<Run extends RunHead = RunHead, Job extends JobHead = JobHead> {
  readonly run: Run;
  readonly jobs: readonly Job[];
  /** When it is submitted again, as far as its status tells of that. */
  readonly retry: Wire.Retry | null;
  readonly projectName: string;
  readonly userName: string;
  readonly fleet: Wire.RunFleet | null;
  /** The caller owns the run and may see its values. */
  readonly isOwner: boolean;
  readonly includeJobs: boolean;
  readonly jobSubmissionsLimit: number | null;
  /** What jobs that end still wait for, by job. */
  readonly detaching: ReadonlyMap<string, string>;
  /** What it pays for, of all its submissions. */
  readonly priced: readonly PricedInterval[];
  readonly sshProxy: SshProxy | undefined;
  readonly now: number;
}

/** The contract's run, and what it leaves out: why it waits, and why its last update was taken back. */
export type ExplainedRun = Wire.Run & {
  readonly pending_reasons: readonly string[];
  readonly deployment_note: string | null;
};

export function toWireRun(facts: RunFacts<RunRecord, JobRecord>): ExplainedRun {
  const { run, detaching } = facts;
  const [first] = latestSubmissions(facts.jobs);
  return {
    ...shellOf(facts),
    latest_job_submission: first === undefined ? null : toWireSubmission(run, first, detaching),
    run_spec: facts.isOwner ? run.spec : redactRunSpec(run.spec),
    jobs: facts.includeJobs ? wireJobs(facts) : [],
  };
}

export function shellOf(facts: RunFacts): Omit<ExplainedRun, 'run_spec' | 'jobs' | 'latest_job_submission'> {
  const { run, jobs, now } = facts;
  const latest = latestSubmissions(jobs);
  return {
    id: run.id,
    project_name: facts.projectName,
    user: facts.userName,
    fleet: facts.fleet,
    submitted_at: toWireTime(run.submittedAt),
    last_processed_at: toWireTime(lastChange(run, jobs)),
    status: run.status,
    status_message: runStatusMessage({
      status: run.status,
      isRolledBack: run.deploymentNote !== null,
      jobs: latest.map((job) => ({ status: job.status, reason: job.terminationReason })),
      retry: facts.retry,
    }),
    termination_reason: run.terminationReason,
    cost: costUsd(facts.priced, now),
    service: run.serviceSpec,
    deployment_num: run.deploymentNum,
    error: runError(run.terminationReason),
    deleted: run.deleted,
    next_triggered_at: run.nextTriggeredAt === null ? null : toWireTime(run.nextTriggeredAt),
    pending_reasons: pendingReasons({ status: run.status, pendingBecause: run.pendingBecause, jobs: latest }),
    deployment_note: run.deploymentNote,
  };
}

function wireJobs(facts: RunFacts<RunRecord, JobRecord>): Wire.Job[] {
  const { run, isOwner, detaching, sshProxy } = facts;
  return jobsOf(facts).map(({ latest, shown }) => ({
    job_spec: redactJobSpec(latest.spec, isOwner),
    job_submissions: shown.map((job) => toWireSubmission(run, job, detaching)),
    job_connection_info: connectionInfo(run, latest, sshProxy),
  }));
}

export interface JobOfRun<Job extends JobHead = JobHead> {
  readonly latest: Job;
  /** Its submissions, as many as were asked for, the latest last. */
  readonly shown: readonly Job[];
}

export function jobsOf<Job extends JobHead>({ jobs, jobSubmissionsLimit }: RunFacts<RunHead, Job>): JobOfRun<Job>[] {
  return latestSubmissions(jobs).map((latest) => {
    const submissions = jobs
      .filter((job) => job.replicaNum === latest.replicaNum && job.jobNum === latest.jobNum)
      .sort((a, b) => a.submissionNum - b.submissionNum);
    const shown =
      jobSubmissionsLimit === null
        ? submissions
        : jobSubmissionsLimit === 0
          ? []
          : submissions.slice(-jobSubmissionsLimit);
    return { latest, shown };
  });
}

/** Only a job that runs can be entered. */
export function connectionInfo(
  run: Pick<RunRecord, 'name' | 'spec'>,
  job: Pick<JobRecord, 'id' | 'status' | 'spec' | 'runtimeRecord'>,
  sshProxy: SshProxy | undefined,
): Wire.JobConnectionInfo | null {
  const { agent } = job.runtimeRecord;
  if (job.status !== 'running' || agent?.workingDir === undefined || agent.sshPort === undefined) return null;
  const { workingDir } = agent;
  return jobConnectionInfo({
    configuration: run.spec.configuration,
    runName: run.name,
    job: job.spec,
    workingDir,
    ...(sshProxy === undefined ? {} : { proxy: { ...sshProxy, upstreamId: job.id } }),
  });
}

/** Clients look for the job's SSH server under this number, wherever the host has it. */
const CONTAINER_SSH_PORT = 10_022;

/** The contract's submission, with what it leaves out: whether the replica gets requests. */
type ExplainedSubmission = Wire.JobSubmission & { readonly ready: boolean | null };

function toWireSubmission(run: RunHead, job: JobRecord, detaching: RunFacts['detaching']): ExplainedSubmission {
  return {
    ...beginningOf(job),
    job_provisioning_data: job.provisioningData,
    job_runtime_data: runtimeData(job),
    ...restOf(run, job, detaching),
  };
}

type HostFields = 'job_provisioning_data' | 'job_runtime_data';
type RestFields = 'error' | 'probes' | 'ready' | 'image_pull_progress';

/** What stands before its host. */
export function beginningOf(job: JobHead): Omit<ExplainedSubmission, HostFields | RestFields> {
  return {
    id: job.id,
    submission_num: job.submissionNum,
    deployment_num: job.deploymentNum,
    submitted_at: toWireTime(job.submittedAt),
    last_processed_at: toWireTime(job.statusChangedAt),
    finished_at: job.finishedAt === null ? null : toWireTime(job.finishedAt),
    inactivity_secs: job.inactivitySecs,
    status: job.status,
    status_message: jobStatusMessage({
      status: job.status,
      reason: job.terminationReason,
      reasonMessage: job.terminationMessage,
      exitStatus: job.exitStatus,
    }),
    termination_reason: job.terminationReason,
    termination_reason_message: job.terminationMessage,
    exit_status: job.exitStatus,
  };
}

export function runtimeData({ provisioningData, runtimeRecord }: HostOfJob): ExplainedSubmission['job_runtime_data'] {
  if (provisioningData === null) return null;
  const { offer, networkMode, agent } = runtimeRecord;
  return {
    network_mode: networkMode,
    gpu: offer?.instance.resources.gpus.length ?? null,
    cpu: offer?.instance.resources.cpus ?? null,
    memory: offer === null ? null : offer.instance.resources.memory_mib / 1024,
    ports: provisioningData.dockerized && agent?.sshPort ? { [CONTAINER_SSH_PORT]: agent.sshPort } : null,
    volume_names: [],
    offer: offer === null ? null : toWireOffer(offer),
    working_dir: agent?.workingDir ?? null,
    username: agent?.username ?? null,
  };
}

/** What stands after its host. */
export function restOf(
  run: Pick<RunHead, 'serviceSpec'>,
  job: JobHead,
  detaching: RunFacts['detaching'],
): Pick<ExplainedSubmission, RestFields> {
  return {
    error: detaching.get(job.id) ?? jobError(job.terminationReason),
    probes: (job.probes ?? []).map(({ successStreak }) => ({ success_streak: successStreak })),
    ready: run.serviceSpec === null ? null : job.registered,
    image_pull_progress: job.pullProgress,
  };
}

function lastChange(run: RunHead, jobs: readonly JobHead[]): number {
  return Math.max(run.statusChangedAt, ...jobs.map((job) => job.statusChangedAt));
}
