import { isUsable, type Offer } from '../offers/offer.js';

/** A fleet that can hold the run, with what it could run it on. */
export interface FleetCandidate<F> {
  readonly fleet: F;
  readonly poolOffers: readonly Offer[];
  readonly backendOffers: readonly Offer[];
}

/** Compared from the left, the smaller wins: capacity at hand, then the cheapest idle instance, then the cheapest new one. */
export type FleetScore = readonly [lacksPoolCapacity: 0 | 1, poolPrice: number, backendPrice: number];

export function scoreFleet(
  { poolOffers, backendOffers }: Pick<FleetCandidate<unknown>, 'poolOffers' | 'backendOffers'>,
  nodesRequired: number,
): FleetScore {
  const pool = poolOffers.filter(isUsable);
  const lacks = pool.length === 0 || pool.length < nodesRequired ? 1 : 0;
  return [lacks, cheapest(pool), cheapest(backendOffers.filter(isUsable))];
}

/** The best fleet that could run it at all now; ties go to the first in the list. */
export function chooseFleet<F>(
  candidates: readonly FleetCandidate<F>[],
  nodesRequired: number,
): FleetCandidate<F> | null {
  let best: { candidate: FleetCandidate<F>; score: FleetScore } | null = null;
  for (const candidate of candidates) {
    const score = scoreFleet(candidate, nodesRequired);
    if (best === null || isSmaller(score, best.score)) best = { candidate, score };
  }
  return best?.candidate ?? null;
}

function isSmaller(a: FleetScore, b: FleetScore): boolean {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0;
    if (value !== other) return value < other;
  }
  return false;
}

function cheapest(offers: readonly Offer[]): number {
  return offers.reduce((price, offer) => Math.min(price, offer.price), Infinity);
}
