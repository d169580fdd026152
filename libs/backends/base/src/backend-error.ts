import type { Failure } from './failure.js';

// Recognised by symbol: two installed copies of this package still understand each other's errors.
const MARK = Symbol.for('@dstack/backend-base/BackendError');

/** The one error a backend throws on purpose. Its message goes to users: the provider's words, never a credential. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
  readonly [MARK] = true;

  constructor(
    readonly failure: Failure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export function isBackendError(error: unknown): error is BackendError {
  return typeof error === 'object' && error !== null && MARK in error;
}

const STATUS_TEXT_LIMIT = 200;

/** One line, at most 200 characters: what fits into a status column. */
export function statusText(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim();
  return text.length <= STATUS_TEXT_LIMIT ? text : `${text.slice(0, STATUS_TEXT_LIMIT - 1)}…`;
}
