import type { ReplicaHealth } from './replica-health.js';

export interface Candidate {
  readonly id: string;
  readonly inFlight: number;
  readonly health: ReplicaHealth;
}

/**
 * The one with the fewest requests under way; among equals any. Those avoided at the moment are asked only when there is no other.
 * @param random in [0, 1)
 */
export function chooseReplica<C extends Candidate>(
  candidates: readonly C[],
  tried: ReadonlySet<string>,
  now: number,
  random: () => number,
): C | null {
  const left = candidates.filter(({ id }) => !tried.has(id));
  const well = left.filter(({ health }) => health.avoidedUntil <= now);
  const eligible = well.length > 0 ? well : left;
  const fewest = Math.min(...eligible.map(({ inFlight }) => inFlight));
  const best = eligible.filter(({ inFlight }) => inFlight === fewest);
  return best[Math.floor(random() * best.length)] ?? null;
}
