/** ISO 8601 in UTC with `Z`; microseconds only when not zero. */
export function toWireTime(unixMs: number): string {
  const text = new Date(unixMs).toISOString();
  return text.endsWith('.000Z') ? `${text.slice(0, -5)}Z` : `${text.slice(0, -1)}000Z`;
}

/** A time of a request: a text without an offset means UTC. */
export function fromWireTime(text: string): number {
  const hasOffset = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(text);
  // An offset other than UTC is dropped, not converted: clients of this contract count on it.
  return Date.parse(
    `${hasOffset ? text.replace(/(?:Z|[+-]\d{2}:?\d{2})$/i, '') : text}${text.includes(':') ? 'Z' : ''}`,
  );
}
