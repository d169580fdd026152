import { drawFaults } from './draw-faults.js';
import type { Faults } from './faults.js';
import { RandomSource } from './random-source.js';

/** Of one project, what its users have in mind; and what goes wrong. */
export interface UsualStory {
  readonly runs: number;
  readonly services: number;
  readonly volumes: number;
  readonly gateways: number;
  readonly faults: Faults;
}

const TASKS = [1, 1, 1, 2, 2, 3, 4] as const;
const HAS_SERVICE = 0.4;
const HAS_VOLUME = 0.4;
/** Gateways are asked every two seconds, and take as long as all the rest of a story. */
const HAS_GATEWAY = 0.15;

/** The story of a seed, unless somebody says otherwise. Most are small: a short one with few things in it gets where a long one does not, and ten are told in its time. */
export function usualStory(seed: number): UsualStory {
  const random = new RandomSource(seed + 6_000_006);
  return {
    runs: random.pick(TASKS),
    services: Number(random.chance(HAS_SERVICE)),
    volumes: Number(random.chance(HAS_VOLUME)),
    gateways: Number(random.chance(HAS_GATEWAY)),
    faults: drawFaults(random),
  };
}
