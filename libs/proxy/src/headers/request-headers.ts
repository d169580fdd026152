import { connectionHeaders, headerPairs } from './hop-by-hop.js';

/** Who asks, as the replica is told. */
export interface Forwarded {
  readonly clientAddress: string;
  readonly protocol: 'http' | 'https';
  /** What was cut off the path before the replica sees it; empty: nothing. */
  readonly prefix: string;
  /** The proxy in front of this one tells the truth of who came to it: what it says is kept and gone on with. */
  readonly isTrusted: boolean;
  /** The credential was this product's own, and has done its work here. */
  readonly dropAuthorization: boolean;
}

const TOLD: ReadonlySet<string> = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-real-ip',
]);

/** All but those that end at this connection: what a proxy before this one says is gone on with as it is. */
export function passedHeaders(raw: readonly string[]): string[] {
  const ends = connectionHeaders(raw);
  return Array.from(headerPairs(raw))
    .filter(([name]) => !ends.has(name.toLowerCase()))
    .flat();
}

/** The raw headers of a request as its replica gets them. */
export function requestHeaders(raw: readonly string[], forwarded: Forwarded): string[] {
  const ends = connectionHeaders(raw);
  const headers: string[] = [];
  const before: string[] = [];
  let host = '';
  for (const [name, value] of headerPairs(raw)) {
    const lower = name.toLowerCase();
    if (ends.has(lower) || (forwarded.dropAuthorization && lower === 'authorization')) continue;
    if (lower === 'host') host = value;
    if (TOLD.has(lower)) {
      if (lower === 'x-forwarded-for') before.push(value);
      else if (forwarded.isTrusted && lower !== 'x-forwarded-prefix') headers.push(name, value);
      continue;
    }
    headers.push(name, value);
  }
  const { clientAddress, protocol, prefix, isTrusted } = forwarded;
  headers.push('X-Forwarded-For', [...(isTrusted ? before : []), clientAddress].join(', '));
  if (prefix !== '') headers.push('X-Forwarded-Prefix', prefix);
  const said = isTrusted ? new Set(Array.from(headerPairs(raw), ([name]) => name.toLowerCase())) : new Set<string>();
  if (!said.has('x-real-ip')) headers.push('X-Real-IP', clientAddress);
  if (!said.has('x-forwarded-proto')) headers.push('X-Forwarded-Proto', protocol);
  if (!said.has('x-forwarded-host') && host !== '') headers.push('X-Forwarded-Host', host);
  return headers;
}
