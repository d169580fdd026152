/** A value that is not what its field takes. Thrown by a reader, turned into an issue at the field's path by `leaf`. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';
  readonly expected: string | undefined;
  readonly suggestion: string | undefined;

  constructor(message: string, hints: { readonly expected?: string; readonly suggestion?: string | undefined } = {}) {
    super(message);
    this.expected = hints.expected;
    this.suggestion = hints.suggestion;
  }
}
