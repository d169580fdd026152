import type { Wire } from '@dstack/core';
import { endingJob } from './ending-job.js';

export interface JobSelector {
  readonly replica?: number | undefined;
  readonly job?: number | undefined;
  readonly submissionId?: string | undefined;
}

/** Default: the lowest replica, job 0. */
export function selectJob(run: Wire.Run, selector: JobSelector = {}): Wire.Job | undefined {
  const replicas = run.jobs.map((job) => job.job_spec.replica_num ?? 0);
  const replica = selector.replica ?? Math.min(...replicas);
  return run.jobs.find(
    (job) => (job.job_spec.replica_num ?? 0) === replica && job.job_spec.job_num === (selector.job ?? 0),
  );
}

/** The named attempt of the job, else its latest. */
export function selectSubmission(run: Wire.Run, selector: JobSelector = {}): Wire.JobSubmission | undefined {
  const submissions = selectJob(run, selector)?.job_submissions ?? [];
  if (selector.submissionId === undefined) return submissions.at(-1);
  return submissions.find((submission) => submission.id === selector.submissionId);
}

/** The exit status a run stands for: 0 when it is done, else that of the job its bad end came from. */
export function runExitStatus(run: Wire.Run): number | null {
  if (run.status === 'done') return 0;
  const culprit = endingJob(run)?.job_submissions.at(-1);
  if (culprit) return culprit.exit_status ?? null;
  const ends = run.jobs.map((job) => job.job_submissions.at(-1)?.exit_status ?? 0);
  return ends.find((exitStatus) => exitStatus !== 0) ?? null;
}

export interface RunResult {
  readonly status: Wire.RunStatus;
  readonly exitStatus: number | null;
  readonly terminationReason: string | null;
  readonly run: Wire.Run;
}
