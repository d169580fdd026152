const MARK = Symbol.for('@dstack/core/RunSpecError');

export interface RunSpecIssue {
  /** Where in the run spec, `['configuration', 'volumes', 0, 'path']`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** A run spec that is well-formed but cannot be run. Every issue says what to change. */
export class RunSpecError extends Error {
  override readonly name = 'RunSpecError';
  readonly [MARK] = true;

  constructor(readonly issues: readonly RunSpecIssue[]) {
    super(issues.map((issue) => issue.message).join('\n'));
  }
}

export function isRunSpecError(error: unknown): error is RunSpecError {
  return typeof error === 'object' && error !== null && MARK in error;
}

export function runSpecIssue(path: readonly (string | number)[], message: string): RunSpecError {
  return new RunSpecError([{ path, message }]);
}
