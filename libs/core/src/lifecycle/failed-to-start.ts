import type { InstanceTerminationReason } from '../wire/enums.js';

export interface EndedMachine {
  readonly reason: InstanceTerminationReason | null;
  readonly isMadeForJob: boolean;
  /** A cloud said that it was there; null: none was made. */
  readonly startedAt: number | null;
  /** Its agent has told at least once what it runs on: jobs may have been sent to it. */
  readonly hasSpoken: boolean;
}

/**
 * Whether what happened to a machine is a failed create call, only later: nothing of the job was ever there. That nobody knows whether it
 * was created is one too; that no offer was left, or that somebody wanted it gone, is not.
 */
export function failedToStart({ reason, isMadeForJob, startedAt, hasSpoken }: EndedMachine): boolean {
  if (!isMadeForJob || hasSpoken) return false;
  return reason === 'error' || (reason === 'provisioning_timeout' && startedAt !== null);
}
