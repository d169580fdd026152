/** The replica cannot be restored from, or cannot be written to; says what to do. */
export class LitestreamError extends Error {
  override readonly name = 'LitestreamError';
}
