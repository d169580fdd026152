const SHORTEST_SECRET = 6;

/**
 * Text as it may leave the server: without the values of secret variables, credentials in URLs, tokens and keys. Pure.
 * @param secrets values that are known to be secret
 */
export function scrubber(secrets: readonly string[]): (text: string) => string {
  const known = [...new Set(secrets)]
    .filter(({ length }) => length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const secret of known) clean = clean.replaceAll(secret, '…');
    return clean
      .replaceAll(/\b(Bearer|Basic|ApiKey)\s+[\w.~+/=:-]+/gi, '$1 …')
      .replaceAll(/(\/\/)[^/\s@"']+@/g, '$1…@')
      .replaceAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, '…')
      .replaceAll(
        /\b((?:password|passwd|secret|token|api[_-]?key|authorization)["']?\s*[=:]\s*["']?)(?!(?:Bearer|Basic|ApiKey)\b)[^\s"',;&}]+/gi,
        '$1…',
      );
  };
}
