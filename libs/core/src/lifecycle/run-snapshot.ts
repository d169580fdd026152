import type { JobStatus, JobTerminationReason, RunStatus, RunTerminationReason, StopCriteria } from '../wire/enums.js';
import type { Instant } from './decision.js';
import type { StopMode } from './job-snapshot.js';
import type { GroupScale } from '../services/decide-scale.js';
import type { ServiceFacts } from './service-snapshot.js';
import type * as Wire from '../wire/generated/api.js';

/** The latest submission of one (replica, job) of a run. */
export interface RunJob {
  readonly id: string;
  readonly replicaNum: number;
  readonly jobNum: number;
  readonly submissionNum: number;
  readonly deploymentNum: number;
  readonly status: JobStatus;
  readonly reason: JobTerminationReason | null;
  readonly stopMode: StopMode | null;
  readonly submittedAt: Instant;
  readonly finishedAt: Instant | null;
  readonly lastProvisionedEndAt: Instant | null;
  readonly retry: Wire.Retry | null;
}

interface RunBase {
  readonly id: string;
  readonly submittedAt: Instant;
  readonly jobs: readonly RunJob[];
  readonly isScheduled: boolean;
  /** From which the age of the current execution counts: submission, or the last trigger. */
  readonly startedAt: Instant;
  readonly resubmissionAttempt: number;
}

export interface PendingRun extends RunBase {
  readonly status: 'pending';
  /** When a retry is due; null: nothing to retry. */
  readonly resumeAt: Instant | null;
  readonly nextTriggeredAt: Instant | null;
  /** Null for tasks and dev environments. */
  readonly service: ServiceFacts | null;
}

export interface ActiveRun extends RunBase {
  readonly status: 'submitted' | 'provisioning' | 'running';
  readonly statusChangedAt: Instant;
  readonly stopCriteria: StopCriteria;
  readonly deploymentNum: number;
  /** Null for tasks and dev environments. */
  readonly service: ServiceFacts | null;
}

export interface TerminatingRun extends RunBase {
  readonly status: 'terminating';
  readonly reason: RunTerminationReason;
  /** The schedule's next fire after now; null without a schedule. */
  readonly nextFireAt: Instant | null;
}

export interface FinishedRun extends RunBase {
  readonly status: Extract<RunStatus, 'terminated' | 'failed' | 'done'>;
}

export type RunSnapshot = PendingRun | ActiveRun | TerminatingRun | FinishedRun;

export interface ReplicaToSubmit {
  readonly num: number;
  /** Null: the run has no groups. */
  readonly group: string | null;
}

export type RunEffect =
  | {
      readonly do: 'terminate-jobs';
      readonly jobIds: readonly string[];
      readonly reason: JobTerminationReason;
      readonly mode: StopMode;
      readonly message: string | null;
    }
  /** New submissions of every job of these replicas. */
  | { readonly do: 'submit-replicas'; readonly replicas: readonly ReplicaToSubmit[] }
  /** They get no new requests from now on. */
  | { readonly do: 'drain'; readonly jobIds: readonly string[] }
  | {
      readonly do: 'scale';
      readonly scale: Readonly<Record<string, GroupScale>>;
      readonly desired: number;
      /** Null: the numbers are what they were. */
      readonly because: string | null;
    }
  /** The update is taken back: the former specification is the run's again. */
  | { readonly do: 'roll-back'; readonly because: string }
  /** The former specification is not needed any more. */
  | { readonly do: 'end-rollout' }
  /** The running jobs already are what the new specification says. */
  | { readonly do: 'bump-deployment'; readonly jobIds: readonly string[]; readonly deploymentNum: number };

export interface RunChanges {
  readonly reason: RunTerminationReason;
  readonly resubmissionAttempt: number;
  readonly resumeAt: Instant | null;
  readonly nextTriggeredAt: Instant | null;
  readonly finishedAt: Instant;
  /** Another fleet may be chosen for the next execution. */
  readonly leaveFleet: true;
}
