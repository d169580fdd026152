import type { Told } from './told.js';

export type Hunted =
  | { readonly caught: true; readonly seed: number; readonly violation: string }
  | { readonly caught: false; readonly seedsTried: number };

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
    if ((await baseline(seed)).violations.length > 0) continue;
    const [violation] = (await tell(seed)).violations;
    if (violation !== undefined) return { caught: true, seed, violation };
  }
  return { caught: false, seedsTried: seeds };
}
