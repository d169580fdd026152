import type { JobStatus, JobTerminationReason, RetryEvent, RunStatus, RunTerminationReason } from './enums.js';

export interface RunEnding {
  readonly status: Extract<RunStatus, 'terminated' | 'failed' | 'done'>;
  /** What the run's unfinished jobs are told. */
  readonly jobReason: JobTerminationReason;
  readonly error: string | null;
}

export const RUN_ENDINGS: Readonly<Record<RunTerminationReason, RunEnding>> = {
  all_jobs_done: { status: 'done', jobReason: 'done_by_runner', error: null },
  job_failed: { status: 'failed', jobReason: 'terminated_by_server', error: null },
  retry_limit_exceeded: { status: 'failed', jobReason: 'terminated_by_server', error: 'retry limit exceeded' },
  stopped_by_user: { status: 'terminated', jobReason: 'terminated_by_user', error: null },
  aborted_by_user: { status: 'terminated', jobReason: 'aborted_by_user', error: null },
  server_error: { status: 'failed', jobReason: 'terminated_by_server', error: 'server error' },
  gateway_error: { status: 'failed', jobReason: 'terminated_by_server', error: 'gateway error' },
};

export interface JobEnding {
  readonly status: Extract<JobStatus, 'terminated' | 'aborted' | 'failed' | 'done'>;
  /** The `retry.on_events` member that may resubmit the job; null: this ending is never retried. */
  readonly retryEvent: RetryEvent | null;
  readonly error: string | null;
}

export const JOB_ENDINGS: Readonly<Record<JobTerminationReason, JobEnding>> = {
  failed_to_start_due_to_no_capacity: { status: 'failed', retryEvent: 'no-capacity', error: null },
  interrupted_by_no_capacity: { status: 'failed', retryEvent: 'interruption', error: null },
  instance_unreachable: { status: 'failed', retryEvent: 'error', error: 'instance unreachable' },
  instance_access_revoked: { status: 'failed', retryEvent: 'error', error: 'instance access revoked' },
  waiting_instance_limit_exceeded: { status: 'failed', retryEvent: 'error', error: 'waiting instance limit exceeded' },
  waiting_runner_limit_exceeded: { status: 'failed', retryEvent: 'error', error: 'waiting runner limit exceeded' },
  terminated_by_user: { status: 'terminated', retryEvent: null, error: null },
  volume_error: { status: 'failed', retryEvent: 'error', error: 'volume error' },
  gateway_error: { status: 'failed', retryEvent: 'error', error: 'gateway error' },
  scaled_down: { status: 'terminated', retryEvent: null, error: 'scaled down' },
  done_by_runner: { status: 'done', retryEvent: null, error: null },
  aborted_by_user: { status: 'aborted', retryEvent: null, error: null },
  terminated_by_server: { status: 'terminated', retryEvent: null, error: null },
  inactivity_duration_exceeded: { status: 'terminated', retryEvent: null, error: 'inactivity duration exceeded' },
  terminated_due_to_utilization_policy: { status: 'terminated', retryEvent: null, error: 'utilization policy' },
  container_exited_with_error: { status: 'failed', retryEvent: 'error', error: null },
  ports_binding_failed: { status: 'failed', retryEvent: 'error', error: 'ports binding failed' },
  creating_container_error: { status: 'failed', retryEvent: 'error', error: 'runner error' },
  executor_error: { status: 'failed', retryEvent: 'error', error: 'executor error' },
  max_duration_exceeded: { status: 'terminated', retryEvent: null, error: 'max duration exceeded' },
  log_quota_exceeded: { status: 'failed', retryEvent: 'error', error: 'log quota exceeded' },
};

const FINISHED_RUN: ReadonlySet<RunStatus> = new Set(['terminated', 'failed', 'done']);
const FINISHED_JOB: ReadonlySet<JobStatus> = new Set(['terminated', 'aborted', 'failed', 'done']);

export function isFinishedRun(status: RunStatus): boolean {
  return FINISHED_RUN.has(status);
}

export function isFinishedJob(status: JobStatus): boolean {
  return FINISHED_JOB.has(status);
}
