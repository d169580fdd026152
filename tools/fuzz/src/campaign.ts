import fc from 'fast-check';

/** One thing that reads what strangers send. */
export interface Campaign {
  readonly name: string;
  /** What is attacked, for people. */
  readonly what: string;
  /** Everything of one round is new: a seed finds again what it found. */
  open(): Promise<Target>;
}

export interface Target {
  readonly trials: readonly Trial[];
  close(): Promise<void>;
}

export interface TrialOptions {
  readonly seed: number;
  /** How much of a round to do; 1 is a whole one. */
  readonly share: number;
}

/** One statement that must hold whatever comes. */
export interface Trial {
  readonly name: string;
  run(options: TrialOptions): Promise<TrialResult>;
}

export interface TrialResult {
  readonly cases: number;
  readonly counterexample?: { readonly input: string; readonly error: string };
}

const LONGEST_INPUT = 4_000;

/** `cases` is how many inputs a round has. */
export function trial<T>(name: string, cases: number, property: fc.IRawProperty<T>): Trial {
  return {
    name,
    run: async ({ seed, share }) => {
      const numRuns = Math.max(1, Math.ceil(cases * share));
      const details = await fc.check(property, { seed, numRuns, endOnFailure: false });
      if (!details.failed) return { cases: details.numRuns };
      const error = details.errorInstance;
      return {
        cases: details.numRuns,
        counterexample: {
          input: shown(details.counterexample).slice(0, LONGEST_INPUT),
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        },
      };
    },
  };
}

/** What is very deep is more than the printer of fast-check can take. */
function shown(input: unknown): string {
  try {
    return fc.stringify(input);
  } catch (error) {
    if (error instanceof RangeError) return JSON.stringify(input);
    throw error;
  }
}
