/** Recognised by a registered symbol, so that errors of two installed copies of this package match. */
const KIND = Symbol.for('dstack.sdk.error');

export type DstackErrorKind =
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'invalid'
  | 'unsupported'
  | 'server'
  | 'connection'
  | 'timeout'
  | 'aborted'
  | 'run-failed';

/** Everything this package throws on purpose. `hint` says what to do next. */
export class DstackError extends Error {
  readonly [KIND]: DstackErrorKind;
  override readonly name: string = 'DstackError';
  readonly hint: string | undefined;

  constructor(
    readonly kind: DstackErrorKind,
    message: string,
    options: { cause?: unknown; hint?: string | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this[KIND] = kind;
    this.hint = options.hint;
  }
}

export interface ApiErrorDetails {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly code: string | undefined;
  /** What the server said about single fields of the request. */
  readonly issues: readonly { readonly path: readonly string[]; readonly message: string }[];
  readonly requestId: string | undefined;
}

/** The server answered, and refused. */
export class ApiError extends DstackError {
  override readonly name = 'ApiError';

  constructor(
    kind: DstackErrorKind,
    message: string,
    readonly details: ApiErrorDetails,
    hint?: string,
  ) {
    super(kind, message, { hint });
  }
}

/** The server could not be reached, or the connection broke. */
export class ConnectionError extends DstackError {
  override readonly name = 'ConnectionError';
  constructor(
    message: string,
    /** True when the request cannot have reached the server. */
    readonly neverSent: boolean,
    options: { cause?: unknown; hint?: string } = {},
  ) {
    super('connection', message, options);
  }
}

/** A run ended otherwise than done. */
export class RunFailedError extends DstackError {
  override readonly name = 'RunFailedError';
  constructor(
    message: string,
    readonly runName: string,
    readonly status: string,
    readonly exitStatus: number | null,
    readonly terminationReason: string | null,
  ) {
    super('run-failed', message, { hint: `See what it printed: dstack logs ${runName}` });
  }
}

/** True for errors of this package (of any installed copy), optionally of one kind. */
export function isDstackError(error: unknown, kind?: DstackErrorKind): error is DstackError {
  if (typeof error !== 'object' || error === null || !(KIND in error)) return false;
  return kind === undefined || error[KIND] === kind;
}

export function isApiError(error: unknown): error is ApiError {
  return isDstackError(error) && 'details' in error;
}
