import { HttpException } from '@nestjs/common';
import { hasCode } from '../errors/has-code.js';
import { DatabaseAwayError, TooManyValuesError } from '../persistence/errors.js';
import { AccessError, ClientError, ForbiddenError, InvalidRequestError, MalformedVersionError } from './api-errors.js';

/** What Postgres refuses in a text by itself, and SQLite takes. */
const REFUSED_TEXT: ReadonlyMap<string, string> = new Map([
  ['22021', 'Text must not hold a NUL character'],
  ['22P05', 'Text must not hold a NUL character'],
  ['22001', 'A text is longer than this field can be'],
]);

/** The reason is for the operator, in the log. */
const AWAY = 'The database of the server does not answer. Try again in a moment.';
/** Of SQLite, of Postgres, of a file. */
const NO_ROOM = ['SQLITE_FULL', '53100', 'ENOSPC', 'EDQUOT'];
const FULL = 'The disk of the server or its database is full';

export interface ErrorReply {
  readonly status: number;
  /** For whoever runs the server, too: it goes into the log. */
  readonly isOurs?: true;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Undefined: not an answer to the client but a bug, to be logged and told as a bare 500. */
export function errorReply(error: unknown): ErrorReply | undefined {
  if (error instanceof ClientError) return { status: 400, body: { detail: clientErrorItems(error) } };
  if (error instanceof InvalidRequestError) return { status: 422, body: { detail: error.issues } };
  if (error instanceof AccessError) return accessReply(error);
  if (error instanceof ForbiddenError) return { status: 403, body: { msg: error.message, code: null } };
  if (error instanceof MalformedVersionError)
    return { status: 400, body: { detail: [{ msg: error.message, code: null }] } };
  if (error instanceof TooManyValuesError)
    return { status: 400, body: { detail: [{ msg: error.message, code: 'error' }] } };
  if (error instanceof DatabaseAwayError)
    return { status: 503, isOurs: true, body: { detail: [{ msg: AWAY, code: 'error' }] } };
  if (error instanceof HttpException) return { status: error.getStatus(), body: { detail: error.message } };
  for (const [code, msg] of REFUSED_TEXT)
    if (hasCode(error, code)) return { status: 400, body: { detail: [{ msg, code: 'error' }] } };
  if (NO_ROOM.some((code) => hasCode(error, code)))
    return { status: 503, isOurs: true, body: { detail: [{ msg: FULL, code: 'error' }] } };
  return fastifyReply(error);
}

function clientErrorItems({ message: msg, code, issues }: ClientError): unknown[] {
  if (issues === undefined) return [{ msg, code }];
  return issues.map((issue) => ({ msg: issue.message, code, fields: issue.path }));
}

function accessReply({ status, message }: AccessError): ErrorReply {
  if (status === 401) return { status, headers: { 'WWW-Authenticate': 'Bearer' }, body: { detail: message } };
  return { status, body: { detail: { msg: message, code: null } } };
}

/** Fastify's own refusals (body too large, bad content length …) carry a status below 500. */
function fastifyReply(error: unknown): ErrorReply | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  if (typeof error.statusCode !== 'number' || !('message' in error)) return undefined;
  if (error.statusCode < 400 || error.statusCode >= 500) return undefined;
  return { status: error.statusCode, body: { detail: [{ msg: error.message, code: 'error' }] } };
}
