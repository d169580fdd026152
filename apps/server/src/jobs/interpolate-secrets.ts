/** `$${{` is written to mean `${{`. */
const REFERENCE = /\$\$\{\{|\$\{\{\s*secrets\.([A-Za-z0-9_-]+)\s*\}\}/g;

/** A reference to a secret that the project does not have. */
export class UnknownSecretError extends Error {
  override readonly name = 'UnknownSecretError';
  constructor(readonly secret: string) {
    super(`the project has no secret '${secret}'. Add it with \`dstack secret set ${secret}\``);
  }
}

export function interpolateSecrets(text: string, secrets: ReadonlyMap<string, string>): string {
  return text.replace(REFERENCE, (_whole, name: string | undefined) => {
    if (name === undefined) return '${{';
    const value = secrets.get(name);
    if (value === undefined) throw new UnknownSecretError(name);
    return value;
  });
}
