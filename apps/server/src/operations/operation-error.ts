/** An operation on a server's data that was refused or failed; what happened, where, and what to do next. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
}
