import type { JobEndReason } from '@dstack/agent-protocol';
import type { ExitStatus } from '../process/pty.js';

export interface Outcome {
  readonly reason: JobEndReason;
  readonly exitStatus?: number;
  readonly message?: string;
}

/** Why the agent ended the commands, when it did. */
export interface Interruption {
  readonly reason: JobEndReason;
  readonly message?: string;
}

/** As a shell would report it: 128 + the signal's number. */
export function exitStatusOf(status: ExitStatus): number {
  return status.signal > 0 ? 128 + status.signal : status.code;
}

export function decideOutcome(status: ExitStatus, interruption: Interruption | undefined): Outcome {
  const exitStatus = exitStatusOf(status);
  if (interruption !== undefined) return { ...interruption, exitStatus };
  if (exitStatus === 0) return { reason: 'done_by_runner', exitStatus };
  const message =
    status.signal > 0
      ? `the commands were killed by signal ${status.signal}`
      : `the commands exited with status ${exitStatus}`;
  return { reason: 'container_exited_with_error', exitStatus, message };
}
