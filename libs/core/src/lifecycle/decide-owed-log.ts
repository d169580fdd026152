import type { JobStatus } from '../wire/enums.js';
import { type Decision, type Instant, stay } from './decision.js';
import type { FinishedJob, JobChanges, JobEffect, JobHost, LogLengths } from './job-snapshot.js';
import { LIMITS } from './limits.js';

type JobDecision = Decision<JobStatus, JobEffect, JobChanges>;

/**
 * The end of a job waits for its log for a short while only. What could not be taken until then is taken later, for as long as the host lives
 * and at most a day; what is lost is said.
 */
export function decideOwedLog({ status, statusChangedAt, owedLog }: FinishedJob, now: Instant): JobDecision {
  if (owedLog === null) return stay(status, {});
  const { host, end, logOffsets } = owedLog;
  if (isLogWhole(end, logOffsets)) return stay(status, { effects: [{ do: 'remove' }] });
  const giveUp = (because: string): JobDecision => stay(status, { effects: [{ do: 'give-up-log', because }] });
  if (host === null || isBeyondHope(host)) return giveUp('its host is gone');
  const deadline = statusChangedAt + LIMITS.owedLogMs;
  if (now >= deadline) return giveUp('the server could not take them for a day');
  return stay(status, { dueAt: deadline });
}

export function isLogWhole(end: LogLengths, taken: LogLengths): boolean {
  return taken.job >= end.job && taken.runner >= end.runner;
}

/** Nothing more is heard of it: no wait could bring the end of a log. */
export function isBeyondHope({ status, hasEnded, connectedSince }: JobHost): boolean {
  return status === 'terminated' || (hasEnded && connectedSince === null);
}
