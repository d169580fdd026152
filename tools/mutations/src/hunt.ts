import { StoryBrokenError } from './story-broken-error.js';
import type { Told } from './told.js';

export type Hunted =
  | { readonly caught: true; readonly seed: number; readonly violation: string }
  /** `because`: the simulation did not come as far as to say what it found. */
  | { readonly caught: false; readonly seedsTried: number; readonly because: string | null };

interface Hunt {
  /** The server with the defect. */
  readonly tell: (seed: number) => Promise<Told>;
  /** The server as it is. */
  readonly baseline: (seed: number) => Promise<Told>;
  readonly seeds: number;
}

/** Seed after seed, until a promise is broken by the server with the defect that the one without it keeps. */
export async function hunt({ tell, baseline, seeds }: Hunt): Promise<Hunted> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    try {
      const [sound, told] = await Promise.all([baseline(seed), tell(seed)]);
      const [violation] = told.violations;
      if (violation !== undefined && sound.violations.length === 0) return { caught: true, seed, violation };
    } catch (error) {
      if (!(error instanceof StoryBrokenError)) throw error;
      return { caught: false, seedsTried: seed, because: error.message };
    }
  }
  return { caught: false, seedsTried: seeds, because: null };
}
