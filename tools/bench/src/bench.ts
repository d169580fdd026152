export interface BenchOptions {
  /** Less of everything, to see that the bench still works; its figures mean nothing. */
  readonly quick: boolean;
  /** For what a person waiting wants to know; goes to stderr. */
  readonly say: (text: string) => void;
}

export interface Bench {
  /** As in `docs/performance.md`: B1, B2, … */
  readonly id: string;
  /** What is measured, in one line. */
  readonly title: string;
  /** Cleans up after itself, also when it fails. */
  run(options: BenchOptions): Promise<readonly Measurement[]>;
}

export type Unit = 'ms' | 's' | 'KB' | 'MB' | 'MB/s' | 'per min' | 'per s' | 'ms CPU' | 'ms CPU/s' | 'ratio' | 'count';

export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
  /** What the machine itself needs for it, measured in the same run: the value of a program that does nothing else. */
  readonly floor?: { readonly what: string; readonly value: number };
  readonly target?: Target;
}

export type Target = { readonly atMost: number } | { readonly atLeast: number };

export function isMet({ value, target }: Measurement): boolean | null {
  if (target === undefined) return null;
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
}
