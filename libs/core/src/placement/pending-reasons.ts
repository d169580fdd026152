import type { JobTerminationReason } from '../wire/enums.js';
import type * as Wire from '../wire/generated/api.js';
import type { PendingBecause } from './explanation.js';
import { explanationLines } from './explanation-lines.js';

export interface PendingFacts {
  readonly status: Wire.RunStatus;
  readonly pendingBecause: PendingBecause | null;
  /** The latest submission of each job. */
  readonly jobs: readonly {
    readonly terminationReason: JobTerminationReason | null;
    readonly terminationMessage: string | null;
  }[];
}

/** Why a run waits for capacity, or why it failed without any; nothing of a run that has what it needs or was stopped. */
export function pendingReasons({ status, pendingBecause, jobs }: PendingFacts): string[] {
  if (status === 'done' || status === 'terminated' || status === 'terminating') return [];
  const unplaced = jobs.filter((job) => job.terminationReason === 'failed_to_start_due_to_no_capacity');
  if (status === 'failed' && unplaced.length === 0) return [];
  if (pendingBecause !== null) return explanationLines(pendingBecause.explanation);
  // It had been given a machine, which then could not be created.
  const messages = unplaced.flatMap((job) => (job.terminationMessage === null ? [] : [job.terminationMessage]));
  return [...new Set(messages)];
}
