import { messageOf } from '../errors/message-of.js';

export class NestedTransactionError extends Error {
  override readonly name = 'NestedTransactionError';
  constructor() {
    super('A transaction was opened inside another one. Pass the outer transaction down and use that instead.');
  }
}

/** The database cannot be used as it is; the message ends with what to do. */
export class DatabaseRefusedError extends Error {
  override readonly name = 'DatabaseRefusedError';
}

/** No transaction could begin: the database is away, or has no connection for this server. */
export class DatabaseAwayError extends Error {
  override readonly name = 'DatabaseAwayError';
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}

/** What neither engine binds in one statement: somebody asked for a very long list at once. */
export class TooManyValuesError extends Error {
  override readonly name = 'TooManyValuesError';
  constructor(most: number) {
    super(`A list of this request is too long: ask for fewer than ${most} things at once`);
  }
}
