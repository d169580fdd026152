import type { JobState } from './job-state.js';

/**
 * One line (JSON) of the control stream `GET /v1/events`. It starts with a `snapshot` of all jobs; states are levels, so a broken
 * stream loses nothing: the next snapshot says it all.
 */
export type ControlEvent =
  | { readonly type: 'snapshot'; readonly at: number; readonly jobs: readonly JobState[] }
  | { readonly type: 'job'; readonly at: number; readonly job: JobState }
  | { readonly type: 'metrics'; readonly at: number; readonly jobId: string; readonly metrics: JobMetrics }
  | { readonly type: 'health'; readonly at: number; readonly health: HostHealth }
  /** Every 5 s, so that a dead connection is noticed. */
  | { readonly type: 'heartbeat'; readonly at: number };

export interface JobMetrics {
  /** Cumulative CPU time. */
  readonly cpuUsageMicros: number;
  readonly memoryUsageBytes: number;
  readonly memoryWorkingSetBytes: number;
  readonly gpus: readonly { readonly memoryUsageBytes: number; readonly utilPercent: number }[];
}

export interface HostHealth {
  readonly status: 'healthy' | 'warning' | 'failure';
  /** Short sentences, the worst first. */
  readonly incidents: readonly string[];
  /** Of each incident; agents of before say none. */
  readonly incidentStatuses?: readonly ('warning' | 'failure')[];
}

/** `PUT /v1/desired`: the jobs this agent should have. Jobs it has beyond these are killed and removed. */
export interface DesiredJobs {
  readonly jobIds: readonly string[];
}

/** Reply: ids of the list the agent does not know (it must be sent `PUT /v1/jobs/{id}` again, or the job is lost). */
export interface DesiredReply {
  readonly missing: readonly string[];
}

/** `PUT /v1/power-off`: a host without a server and without a job powers itself off. An agent that cannot answers `not_found`. */
export interface PowerOffOrder {
  /** Null: never. */
  readonly afterSeconds: number | null;
}

/** Body of every error reply. */
export interface AgentErrorBody {
  readonly code: 'stale_epoch' | 'not_found' | 'bad_request' | 'conflict' | 'internal';
  readonly message: string;
  /** With `stale_epoch`: the highest epoch the agent has seen. */
  readonly currentEpoch?: number;
}
