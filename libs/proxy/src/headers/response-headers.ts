import { connectionHeaders, headerPairs } from './hop-by-hop.js';

/** The raw headers of an answer as its client gets them. `added` are set whatever the replica says of them. */
export function responseHeaders(raw: readonly string[], added: Readonly<Record<string, string>> = {}): string[] {
  const ends = connectionHeaders(raw);
  const names = Object.keys(added);
  const headers: string[] = [];
  for (const [name, value] of headerPairs(raw)) {
    const lower = name.toLowerCase();
    if (!ends.has(lower) && !names.includes(lower)) headers.push(name, value);
  }
  for (const name of names) headers.push(name, added[name] ?? '');
  return headers;
}

/** As HTTP parsers give them: bytes or text, flat. */
export function rawHeaderList(raw: unknown): string[] {
  if (!Array.isArray(raw)) return [];
  return (raw as readonly unknown[]).map((each) => (Buffer.isBuffer(each) ? each.toString('latin1') : String(each)));
}
