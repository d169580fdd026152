import { RandomSource } from './random-source.js';

/** They are asked every two seconds, and take as long as all the rest of a story. */
const HAS_GATEWAYS = 0.3;

/** Gateways per project in the story of a seed, unless somebody says otherwise. */
export function usualGateways(seed: number): number {
  return new RandomSource(seed + 6_000_006).chance(HAS_GATEWAYS) ? 1 : 0;
}
