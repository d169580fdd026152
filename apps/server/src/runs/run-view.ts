import {
  costUsd,
  jobConnectionInfo,
  jobError,
  jobStatusMessage,
  pendingReasons,
  type PricedInterval,
  retryOf,
  runError,
  runStatusMessage,
  type SshProxy,
  effectiveProfile,
  toWireOffer,
  type Wire,
} from '@dstack/core';
import { toWireTime } from '../http/wire-time.js';
import { type JobRecord, latestSubmissions } from '../jobs/job-record.js';
import type { Sealing } from '../persistence/sealing.js';
import { openText } from '../reconcile/sealed-json.js';
import { redactedText, redactJobSpec, redactRunSpec } from './redact.js';
import type { RunRecord } from './run-record.js';

export interface RunFacts {
  readonly run: RunRecord;
  readonly jobs: readonly JobRecord[];
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

export function toWireRun(facts: RunFacts): ExplainedRun {
  const { run } = facts;
  return {
    ...shellOf(facts),
    run_spec: facts.isOwner ? run.spec : redactRunSpec(run.spec),
    jobs: facts.includeJobs ? wireJobs(facts) : [],
  };
}

/** The JSON of the same, with the specifications as they are stored: to read them and to write them again is most of what a list costs. */
export function runText(holder: { readonly sealing: Sealing }, facts: RunFacts): string {
  const { run, isOwner } = facts;
  const spec = openText(holder, run.specText, isOwner ? (_field, open) => open() : redactedText);
  const jobs = facts.includeJobs
    ? jobShells(facts).map(({ latest, shell }) => jobText(holder, latest, shell, isOwner))
    : [];
  return withMembers(shellOf(facts), `"run_spec":${spec},"jobs":[${jobs.join(',')}]`);
}

function jobText(holder: { readonly sealing: Sealing }, job: JobRecord, shell: JobShell, isOwner: boolean): string {
  // The key the nodes share never leaves the server.
  const spec = openText(holder, job.specText, (field, open) =>
    isOwner && field !== 'ssh_key' ? open() : redactedText(field, open),
  );
  return withMembers(shell, `"job_spec":${spec}`);
}

/** @param members JSON of more members of an object that has some */
function withMembers(object: object, members: string): string {
  return `${JSON.stringify(object).slice(0, -1)},${members}}`;
}

function shellOf(facts: RunFacts): Omit<ExplainedRun, 'run_spec' | 'jobs'> {
  const { run, jobs, now } = facts;
  const latest = latestSubmissions(jobs);
  const [first] = latest;
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
      retry: isWaiting(run) ? retryOf(effectiveProfile(run.spec).retry) : null,
    }),
    termination_reason: run.terminationReason,
    latest_job_submission: first === undefined ? null : toWireSubmission(run, first, facts.detaching),
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

/** Only then its specification is asked for what its status says. */
function isWaiting({ status }: RunRecord): boolean {
  return status === 'submitted' || status === 'pending';
}

function wireJobs(facts: RunFacts): Wire.Job[] {
  return jobShells(facts).map(({ latest, shell }) => ({
    job_spec: redactJobSpec(latest.spec, facts.isOwner),
    ...shell,
  }));
}

type JobShell = Omit<Wire.Job, 'job_spec'>;

function jobShells({
  run,
  jobs,
  jobSubmissionsLimit,
  detaching,
  sshProxy,
}: RunFacts): { latest: JobRecord; shell: JobShell }[] {
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
    const shell = {
      job_submissions: shown.map((job) => toWireSubmission(run, job, detaching)),
      job_connection_info: connectionInfo(run, latest, sshProxy),
    };
    return { latest, shell };
  });
}

/** Only a job that runs can be entered. */
function connectionInfo(run: RunRecord, job: JobRecord, sshProxy: SshProxy | undefined): Wire.JobConnectionInfo | null {
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

function toWireSubmission(run: RunRecord, job: JobRecord, detaching: RunFacts['detaching']): ExplainedSubmission {
  const { offer, networkMode, agent } = job.runtimeRecord;
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
    job_provisioning_data: job.provisioningData,
    job_runtime_data:
      job.provisioningData === null
        ? null
        : {
            network_mode: networkMode,
            gpu: offer?.instance.resources.gpus.length ?? null,
            cpu: offer?.instance.resources.cpus ?? null,
            memory: offer === null ? null : offer.instance.resources.memory_mib / 1024,
            ports: job.provisioningData.dockerized && agent?.sshPort ? { [CONTAINER_SSH_PORT]: agent.sshPort } : null,
            volume_names: [],
            offer: offer === null ? null : toWireOffer(offer),
            working_dir: agent?.workingDir ?? null,
            username: agent?.username ?? null,
          },
    error: detaching.get(job.id) ?? jobError(job.terminationReason),
    probes: (job.probes ?? []).map(({ successStreak }) => ({ success_streak: successStreak })),
    ready: run.serviceSpec === null ? null : job.registered,
    image_pull_progress: job.pullProgress,
  };
}

function lastChange(run: RunRecord, jobs: readonly JobRecord[]): number {
  return Math.max(run.statusChangedAt, ...jobs.map((job) => job.statusChangedAt));
}
