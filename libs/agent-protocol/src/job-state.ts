/**
 * Phases only move forward. `waiting` = blobs still missing; `stopping` = a stop was asked for and the grace period runs.
 * A finished job stays (with its spool) until `DELETE /v1/jobs/{id}`, so its outcome can be asked for again.
 */
export type JobPhase =
  'waiting' | 'preparing' | 'pulling' | 'creating' | 'starting' | 'running' | 'stopping' | 'finished';

/** Why a job finished, in the contract's words (`JobTerminationReason`). */
export type JobEndReason =
  | 'done_by_runner'
  | 'container_exited_with_error'
  | 'ports_binding_failed'
  | 'creating_container_error'
  | 'executor_error'
  | 'max_duration_exceeded'
  | 'log_quota_exceeded'
  | 'terminated_by_server'
  | 'terminated_by_user'
  | 'aborted_by_user';

export interface JobState {
  readonly id: string;
  /** Rises with every change of this job, over agent restarts too. */
  readonly revision: number;
  readonly phase: JobPhase;
  /** Unix ms at which the phase was entered. */
  readonly phaseAt: number;
  /** Unix ms at which commands started. */
  readonly runningAt?: number;
  readonly finishedAt?: number;
  readonly exitStatus?: number;
  readonly reason?: JobEndReason;
  /** For a person: what happened and what to do. */
  readonly message?: string;
  readonly pull?: PullProgress;
  readonly sshPort?: number;
  /** Of the loopback of the host (or of the container that has no host agent), where the keys of {@link JobStart.gatewayDoor} reach the service. */
  readonly servicePort?: number;
  readonly username?: string;
  readonly workingDir?: string;
  /** Seconds since the last SSH session of at least 10 s. */
  readonly noConnectionsSeconds?: number;
  /** Final lengths of the log streams, once finished: the log is complete when these offsets are acknowledged. */
  readonly logEnd?: Readonly<Record<LogStream, number>>;
}

export interface PullProgress {
  readonly downloadedBytes: number;
  readonly extractedBytes: number;
  readonly totalBytes: number;
  readonly isTotalFinal: boolean;
}

/** `job`: what the commands print (PTY bytes, ANSI kept). `runner`: the agent's own diagnostics about the job. */
export type LogStream = 'job' | 'runner';

export interface StopRequest {
  /** `graceful`: SIGINT to the process group, SIGKILL after `graceSeconds` (null: never). `kill`: at once. */
  readonly mode: 'graceful' | 'kill';
  readonly graceSeconds: number | null;
  readonly reason: JobEndReason;
}
