import type { JobEndReason } from '@dstack/agent-protocol';
import type { ExitStatus } from '../process/pty.js';

export interface Outcome {
  readonly reason: JobEndReason;
  readonly exitStatus?: number;
  readonly message?: string;
}

export const OUT_OF_MEMORY = 'the job used more memory than it may, and was killed for it: raise `resources.memory`';

/** Why the agent ended the commands, when it did. */
export interface Interruption {
  readonly reason: JobEndReason;
  readonly message?: string;
}

/** As a shell would report it: 128 + the signal's number. */
export function exitStatusOf(status: ExitStatus): number {
  return status.signal > 0 ? 128 + status.signal : status.code;
}

/** @param oomKills how many processes of the job the kernel killed for want of memory */
export function decideOutcome(status: ExitStatus, interruption: Interruption | undefined, oomKills = 0): Outcome {
  const exitStatus = exitStatusOf(status);
  if (interruption !== undefined) return { ...interruption, exitStatus };
  if (exitStatus === 0) return { reason: 'done_by_runner', exitStatus };
  const how =
    status.signal > 0
      ? `the commands were killed by signal ${status.signal}`
      : `the commands exited with status ${exitStatus}`;
  return {
    reason: 'container_exited_with_error',
    exitStatus,
    message: oomKills === 0 ? how : `${how}: ${OUT_OF_MEMORY}`,
  };
}
