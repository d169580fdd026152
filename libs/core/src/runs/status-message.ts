import { JOB_ENDINGS, RUN_ENDINGS } from '../wire/endings.js';
import type { JobTerminationReason, RunTerminationReason } from '../wire/enums.js';
import type * as Wire from '../wire/generated/api.js';

export interface JobStatusFacts {
  readonly status: Wire.JobStatus;
  readonly reason: JobTerminationReason | null;
  readonly reasonMessage: string | null;
  readonly exitStatus: number | null;
}

/** Begins the message of a job for which no fleet exists that could ever hold it; `jobStatusMessage` tells it from a full one. */
export const NO_FLEET_MESSAGE = 'No matching fleet found';

export function jobStatusMessage({ status, reason, reasonMessage, exitStatus }: JobStatusFacts): string {
  if (status === 'done') return 'exited (0)';
  if (status === 'terminated' && reason === 'terminated_by_user') return 'stopped';
  if (status !== 'failed') return status;
  switch (reason) {
    case 'container_exited_with_error':
      return exitStatus === null ? 'error' : `exited (${exitStatus})`;
    case 'failed_to_start_due_to_no_capacity':
      return reasonMessage?.toLowerCase().includes('no matching fleet') === true ? 'no fleets' : 'no capacity';
    case 'interrupted_by_no_capacity':
      return 'interrupted';
    default:
      return 'error';
  }
}

export interface RunStatusFacts {
  readonly status: Wire.RunStatus;
  /** The latest submission of each job. */
  readonly jobs: readonly Pick<JobStatusFacts, 'status' | 'reason'>[];
  readonly retry: Wire.Retry | null;
  /** Its last update failed, and what served before serves again. */
  readonly isRolledBack?: boolean;
}

export function runStatusMessage({ status, jobs, retry, isRolledBack = false }: RunStatusFacts): string {
  if (status === 'running' && isRolledBack) return 'running (update rolled back)';
  if (jobs.length > 0 && jobs.every((job) => job.status === 'pulling')) return 'pulling';
  const waits = status === 'submitted' || status === 'pending';
  const retriesCapacity = retry?.on_events.includes('no-capacity') ?? false;
  if (waits && retriesCapacity && jobs.some((job) => job.reason === 'failed_to_start_due_to_no_capacity'))
    return 'retrying';
  return status;
}

/** The `error` field of a job: null where the status already says it all. */
export function jobError(reason: JobTerminationReason | null): string | null {
  return reason === null ? null : JOB_ENDINGS[reason].error;
}

export function runError(reason: RunTerminationReason | null): string | null {
  return reason === null ? null : RUN_ENDINGS[reason].error;
}
