import { describeStartError } from '../../bootstrap/describe-start-error.js';
import { DatabaseAwayError, DatabaseRefusedError } from '../../persistence/errors.js';
import { OperationError } from '../operation-error.js';

/** What is wrong with the database that `--to` names, which no variable does. */
export function aboutTarget(error: unknown): unknown {
  if (error instanceof OperationError || error instanceof DatabaseRefusedError) return error;
  const isOfTarget = error instanceof DatabaseAwayError || describeStartError(error).includes('Postgres');
  if (!isOfTarget || !(error instanceof Error)) return error;
  return new OperationError(
    `${error.message}: the database of --to. Look whether Postgres runs, lets this user in and has the database (CREATE DATABASE …), and call the command again: it goes on where it stopped.`,
    { cause: error },
  );
}
