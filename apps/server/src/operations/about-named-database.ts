import { describeStartError } from '../bootstrap/describe-start-error.js';
import { messageOf } from '../errors/message-of.js';
import { DatabaseAwayError, DatabaseRefusedError } from '../persistence/errors.js';
import { OperationError } from './operation-error.js';

/** What is wrong with a Postgres that an option names, and no variable does. */
export function aboutNamedDatabase(error: unknown, option: string, whatNow: string): unknown {
  if (error instanceof OperationError || error instanceof DatabaseRefusedError) return error;
  if (!(error instanceof DatabaseAwayError) && !describeStartError(error).includes('Postgres')) return error;
  return new OperationError(
    `The database of ${option}: ${messageOf(error)}. Look whether Postgres runs, has that database and lets this user in; ${whatNow}.`,
    { cause: error },
  );
}
