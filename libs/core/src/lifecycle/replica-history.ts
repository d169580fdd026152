import type { JobStatus, JobTerminationReason } from '../wire/enums.js';
import type { Instant } from './decision.js';
import { LIMITS } from './limits.js';

/** One submission of a replica, as far as it tells how the replica fares. */
export interface Submission {
  readonly submissionNum: number;
  readonly deploymentNum: number;
  readonly status: JobStatus;
  readonly terminationReason: JobTerminationReason | null;
  readonly runningAt: Instant | null;
  /** When it first got requests. */
  readonly readyAt: Instant | null;
  readonly drainingSince: Instant | null;
  readonly finishedAt: Instant | null;
}

/** How often a replica failed before it had run for long; what it was before that does not count any more. */
export function failuresInARow(submissions: readonly Submission[]): number {
  const ended = submissions.filter(({ finishedAt }) => finishedAt !== null);
  const newestFirst = ended.toSorted((a, b) => b.submissionNum - a.submissionNum);
  const last = newestFirst.findIndex((submission) => !hasFailed(submission) || hasRunLong(submission));
  if (last === -1) return newestFirst.length;
  const submission = newestFirst[last];
  return last + (submission !== undefined && hasFailed(submission) ? 1 : 0);
}

/** Those that a specification is to blame for: they failed before they ever were ready, and not for want of room. */
export function failuresOfDeployment<S extends Submission>(submissions: readonly S[], deploymentNum: number): S[] {
  return submissions
    .filter((each) => each.deploymentNum === deploymentNum && hasFailed(each) && each.readyAt === null)
    .filter(({ terminationReason }) => terminationReason !== 'failed_to_start_due_to_no_capacity')
    .toSorted((a, b) => (a.finishedAt ?? 0) - (b.finishedAt ?? 0));
}

function hasFailed({ status, drainingSince }: Submission): boolean {
  return status === 'failed' && drainingSince === null;
}

function hasRunLong({ runningAt, finishedAt }: Submission): boolean {
  return runningAt !== null && finishedAt !== null && finishedAt - runningAt >= LIMITS.stableRunMs;
}
