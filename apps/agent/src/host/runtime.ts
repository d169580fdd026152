import type { JobEndReason, JobStart, PullProgress } from '@dstack/agent-protocol';
import type { Cgroup } from '../cgroup/cgroup.js';

/** Where a job's job side runs; kept in its record so that the next agent finds it again. */
export type RuntimeHandle =
  | {
      readonly kind: 'process';
      readonly pid: number;
      /** With the pid it names the process for ever. */
      readonly startTicks: number;
      readonly uid?: number;
      readonly cgroup?: Cgroup;
      readonly workDir: string;
      /** Where the process writes what goes wrong with itself; absent from records of older agents. */
      readonly agentLog?: string;
    }
  | { readonly kind: 'container'; readonly containerId: string; readonly volumes: readonly string[] };

export interface LaunchRequest {
  readonly job: JobStart;
  /** The flat directory both sides of the job share. */
  readonly sharedDir: string;
  /** Devices this job holds, by lock id. */
  readonly gpuIds: readonly string[];
  readonly signal: AbortSignal;
  readonly onPhase: (phase: 'preparing' | 'pulling' | 'creating' | 'starting', pull?: PullProgress) => void;
  /** Called as soon as there is something to clean up, before it runs. */
  readonly onHandle: (handle: RuntimeHandle) => Promise<void>;
}

/** A step of a launch failed, for a reason the contract has a word for. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  constructor(
    readonly reason: JobEndReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** How the job side went, when it could not say itself. */
export interface Loss {
  readonly message: string;
}

export interface JobRuntime {
  launch(request: LaunchRequest): Promise<void>;
  isAlive(handle: RuntimeHandle): Promise<boolean>;
  /** Resolves when the job side has ended; rejects when `signal` aborts. */
  waitGone(handle: RuntimeHandle, signal: AbortSignal): Promise<Loss>;
  /** SSH port of the job as reached on this host, when it differs from what the job side says. */
  publishedSshPort(handle: RuntimeHandle): Promise<number | undefined>;
  /** Ends what still runs, at once. */
  kill(handle: RuntimeHandle, jobId: string): Promise<void>;
  /** Removes all but the shared directory. Repeatable. */
  cleanUp(handle: RuntimeHandle, jobId: string): Promise<void>;
}
