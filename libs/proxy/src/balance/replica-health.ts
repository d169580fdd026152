/** What requests have shown of a replica. */
export interface ReplicaHealth {
  /** Connections that failed in a row. */
  readonly failures: number;
  /** Milliseconds since the epoch until which it is not asked while others can be. */
  readonly avoidedUntil: number;
}

export const HEALTHY: ReplicaHealth = { failures: 0, avoidedUntil: 0 };

const FIRST_MS = 500;
const LONGEST_MS = 10_000;

/** It could not be reached, or broke off before it had answered: avoided for longer and longer. */
export function afterFailure({ failures }: ReplicaHealth, now: number): ReplicaHealth {
  return { failures: failures + 1, avoidedUntil: now + Math.min(LONGEST_MS, FIRST_MS * 2 ** failures) };
}
