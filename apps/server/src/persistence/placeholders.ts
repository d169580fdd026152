const rewritten = new Map<string, string>();

/** `?` → `$1`, `$2` …, leaving quoted text alone. Statements are literals of the program, so the cache is bounded by the program. */
export function toDollarPlaceholders(sql: string): string {
  const known = rewritten.get(sql);
  if (known !== undefined) return known;
  let position = 0;
  const result = sql.replace(/'(?:[^']|'')*'|"[^"]*"|\?/g, (token) => (token === '?' ? `$${(position += 1)}` : token));
  if (rewritten.size < 5_000) rewritten.set(sql, result);
  return result;
}
