import { type SchemaIssue, tellable } from './schema-issue.js';

/** The codes of replies with status 400, and what each says. */
export const ERROR_CODES = {
  error: 'What is asked for cannot be done; the message says why',
  resource_exists: 'There is one of this name already',
  resource_not_exists: 'There is none of this name or id, or it is not for you to see',
  invalid_credentials: 'The cloud does not take these credentials',
  backend_not_available: 'The backend is not configured, or its package is not installed',
  repo_does_not_exist: 'The repository was not initialised: dstack init',
  gateway_error: 'The gateway refuses',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface FieldIssue {
  readonly path: readonly string[];
  readonly message: string;
}

/** A request that cannot be done, for a reason its sender can act on: 400. The message says what to do next. */
export class ClientError extends Error {
  override readonly name: string = 'ClientError';
  constructor(
    message: string,
    readonly code: ErrorCode = 'error',
    /** What is wrong with which field, one item of the reply each; the message holds all of them. */
    readonly issues?: readonly FieldIssue[],
  ) {
    super(message);
  }
}

export class ResourceNotExistsError extends ClientError {
  override readonly name = 'ResourceNotExistsError';
  constructor(message = 'Resource not found') {
    super(message, 'resource_not_exists');
  }
}

export class ResourceExistsError extends ClientError {
  override readonly name = 'ResourceExistsError';
  constructor(message = 'Resource exists') {
    super(message, 'resource_exists');
  }
}

/** Refused inside a service: 403, `{msg, code}` without `detail`, as clients of this contract get it. */
export class ForbiddenError extends Error {
  override readonly name = 'ForbiddenError';
  constructor(message = 'Access denied') {
    super(message);
  }
}

/** Refused before the handler: token, project or role. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
  constructor(
    readonly status: 401 | 403 | 404,
    message: string,
  ) {
    super(message);
  }
}

/** The body, query or path does not have the shape the operation asks for: 422. */
export class InvalidRequestError extends Error {
  override readonly name = 'InvalidRequestError';
  readonly issues: readonly SchemaIssue[];
  constructor(issues: readonly SchemaIssue[]) {
    super('The request does not have the shape this operation asks for.');
    this.issues = tellable(issues);
  }
}

/** The version header is not a version: 400 with a null code. */
export class MalformedVersionError extends Error {
  override readonly name = 'MalformedVersionError';
}
