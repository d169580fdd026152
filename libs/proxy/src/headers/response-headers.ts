import { connectionHeaders, headerPairs } from './hop-by-hop.js';

/** The raw headers of an answer as its client gets them, and those that the proxy adds. */
export function responseHeaders(raw: readonly string[], added: readonly string[] = []): string[] {
  const ends = connectionHeaders(raw);
  const headers: string[] = [];
  for (const [name, value] of headerPairs(raw)) if (!ends.has(name.toLowerCase())) headers.push(name, value);
  return [...headers, ...added];
}

/** As HTTP parsers give them: bytes or text, flat. */
export function rawHeaderList(raw: unknown): string[] {
  if (!Array.isArray(raw)) return [];
  return (raw as readonly unknown[]).map((each) => (Buffer.isBuffer(each) ? each.toString('latin1') : String(each)));
}
