import type { Wire } from '@dstack/core';
import { jobStatusText } from './run-status.js';

/** What else is known about the end of jobs that failed, beyond the word in their status: an exit code needs none. Pure. */
export function endingReasons(run: Wire.Run): string[] {
  const told = run.jobs.flatMap((job) => {
    const latest = job.job_submissions.at(-1);
    const message = latest?.termination_reason_message;
    if (!latest || !message || SAID_ELSEWHERE.has(latest.termination_reason ?? '')) return [];
    return [`${latest.error ?? jobStatusText(latest)}: ${message}`];
  });
  return [...new Set(told)];
}

const SAID_ELSEWHERE: ReadonlySet<string> = new Set([
  'container_exited_with_error',
  'failed_to_start_due_to_no_capacity',
]);
