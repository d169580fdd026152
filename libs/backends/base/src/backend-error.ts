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

/** One line of few characters: what fits into a status column, unless told otherwise. */
export function statusText(error: unknown, limit = STATUS_TEXT_LIMIT): string {
  const text = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim();
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}
