import type { MachineKind } from '../offers/machine-kind.js';
import type { JobStatus, JobTerminationReason } from '../wire/enums.js';
import type { InternalInstanceStatus } from '../wire/internal-values.js';
import type { Instant } from './decision.js';

/** The instance a job is assigned to, as far as the job's fate depends on it. */
export interface JobHost {
  readonly instanceId: string;
  readonly status: InternalInstanceStatus;
  readonly isSpot: boolean;
  /** Since when the agent has answered this server; null while it does not. */
  readonly connectedSince: Instant | null;
  readonly unreachableSince: Instant | null;
  /** By the word of its cloud: it has stopped, and comes back no more. */
  readonly hasEnded: boolean;
  /** How long a job survives that nobody can reach the host. */
  readonly unreachableLimitMs: number;
  /** From assignment until the agent should answer. */
  readonly provisioningLimitMs: number;
  /** Why the machine could not be had, or was lost. */
  readonly terminationMessage: string | null;
  readonly foundNoCapacity: boolean;
  /** Set once the machine is given up before its agent has said a word. */
  readonly failedStart: FailedStart | null;
}

/** What the next try of a job depends on whose machine failed to start. */
export interface FailedStart {
  readonly machineName: string;
  /** With this one, of the machines that were made for the job in this submission. */
  readonly failedMachines: number;
  readonly kind: MachineKind;
  /** What of the job cannot follow it to another machine; null: nothing. */
  readonly tie: string | null;
}

export type AgentPhase =
  'waiting' | 'preparing' | 'pulling' | 'creating' | 'starting' | 'running' | 'stopping' | 'finished';

/** What the agent last said about the job. */
export interface AgentJob {
  readonly phase: AgentPhase;
  readonly runningAt?: Instant | undefined;
  readonly finishedAt?: Instant | undefined;
  readonly exitStatus?: number | undefined;
  readonly reason?: JobTerminationReason | undefined;
  readonly message?: string | undefined;
  readonly noConnectionsSeconds?: number | undefined;
  readonly logEnd?: LogLengths | undefined;
}

export type StopMode = 'graceful' | 'kill';

interface JobBase {
  readonly id: string;
  readonly submittedAt: Instant;
  readonly statusChangedAt: Instant;
}

export interface SubmittedJob extends JobBase {
  readonly status: 'submitted';
  /** Placed after the first node of its replica. */
  readonly waitsForMaster: boolean;
  readonly host: JobHost | null;
}

export interface ProvisioningJob extends JobBase {
  readonly status: 'provisioning';
  readonly host: JobHost | null;
  readonly runtime: 'container' | 'process' | null;
  readonly agent: AgentJob | null;
  /** What the job still waits for besides its own host (addresses of its peers, the startup order); null when it may start. */
  readonly waitsFor: string | null;
  /** It is told the address of a router, which has its own time to get one. */
  readonly needsRouter: boolean;
  /** A configuration that cannot be handed to an agent, such as an unknown secret. */
  readonly startError: string | null;
  /** A volume of it that cannot be attached. */
  readonly volumeError: string | null;
  readonly isTimed: boolean;
}

export interface ActiveJob extends JobBase {
  readonly status: 'pulling' | 'running';
  /** There are limits on how long it runs, or how idle. */
  readonly isTimed: boolean;
  readonly host: JobHost | null;
  readonly agent: AgentJob | null;
  readonly disconnectedAt: Instant | null;
  readonly maxDurationMs: number | null;
  readonly inactivityLimitSeconds: number | null;
  /** Null: nobody asked for a minimum. */
  readonly underUtilised: boolean | null;
}

export interface TerminatingJob extends JobBase {
  readonly status: 'terminating';
  readonly host: JobHost | null;
  readonly agent: AgentJob | null;
  readonly reason: JobTerminationReason;
  readonly stop: {
    readonly mode: StopMode;
    readonly requestedAt: Instant;
    /** Null: the job is never killed for being slow (`stop_duration: off`). */
    readonly graceMs: number | null;
    /** What the agent has confirmed to have received. */
    readonly sent: StopMode | null;
  };
  /** Its network volumes. `held`: they are there for it; `leaving`: they are being taken from the machine, which it keeps until then. */
  readonly volumes: 'none' | 'held' | 'leaving';
  /** Durable at the server. */
  readonly logOffsets: LogLengths;
}

export interface LogLengths {
  readonly job: number;
  readonly runner: number;
}

/** Of a job that is over: its host keeps what the server could not take in time. */
export interface OwedLog {
  readonly host: JobHost | null;
  readonly end: LogLengths;
  readonly logOffsets: LogLengths;
}

export interface FinishedJob extends JobBase {
  readonly status: Extract<JobStatus, 'terminated' | 'aborted' | 'failed' | 'done'>;
  /** Null: nothing of its log is waited for. */
  readonly owedLog: OwedLog | null;
}

export type JobSnapshot = SubmittedJob | ProvisioningJob | ActiveJob | TerminatingJob | FinishedJob;

export type JobEffect =
  | { readonly do: 'start' }
  | {
      readonly do: 'stop';
      readonly mode: StopMode;
      readonly graceMs: number | null;
      readonly reason: JobTerminationReason;
    }
  /** Forget the job on its host. Unknown there is a success; a host nobody reaches is told when it comes back. */
  | { readonly do: 'remove' }
  /** Say how much of the log is lost, and have the host forget the job. */
  | { readonly do: 'give-up-log'; readonly because: string };

export interface JobChanges {
  readonly reason: JobTerminationReason;
  readonly message: string | null;
  readonly exitStatus: number | null;
  readonly stopMode: StopMode;
  readonly finishedAt: Instant;
  readonly runningAt: Instant;
  /** The end of its log is still to be taken from its host. */
  readonly owesLog: true;
  /** Gives the job's share of its instance back; safe to repeat. */
  readonly release: true;
  /** A new machine is to be made for it, at the next offer. */
  readonly nextOffer: true;
  /** It needs its volumes no more; safe to repeat. */
  readonly releaseVolumes: true;
}
