import type { Wire } from '@dstack/core';
import { isFinalJobStatus } from './final-status.js';

/** Ends that came to a job from outside, because of something else. */
const NOT_ITS_OWN: ReadonlySet<string> = new Set([
  'done_by_runner',
  'terminated_by_server',
  'terminated_by_user',
  'aborted_by_user',
  'scaled_down',
]);

/** The job a run's bad end came from: the first that did not end well by itself. The others were ended because of it. */
export function endingJob(run: Wire.Run): Wire.Job | undefined {
  const culprits = run.jobs.filter((job) => endedByItself(job.job_submissions.at(-1)));
  return culprits.sort((a, b) => endedAt(a) - endedAt(b))[0];
}

function endedByItself(last: Wire.JobSubmission | undefined): boolean {
  if (last === undefined || !isFinalJobStatus(last.status)) return false;
  return last.termination_reason ? !NOT_ITS_OWN.has(last.termination_reason) : last.status === 'failed';
}

function endedAt(job: Wire.Job): number {
  const at = Date.parse(job.job_submissions.at(-1)?.finished_at ?? '');
  return Number.isNaN(at) ? Infinity : at;
}
