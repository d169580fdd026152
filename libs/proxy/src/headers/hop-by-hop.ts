/** RFC 9110 §7.6.1: of one connection, never passed on. `expect` is answered by the server that took the request. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Pairs of a raw header list, `[name, value, name, value]`. */
export function* headerPairs(raw: readonly string[]): Generator<readonly [name: string, value: string]> {
  for (let index = 0; index + 1 < raw.length; index += 2) yield [raw[index] ?? '', raw[index + 1] ?? ''];
}

/** Names in lower case that end at this connection: the known ones and those that `Connection` lists. */
export function connectionHeaders(raw: readonly string[]): ReadonlySet<string> {
  let listed: Set<string> | null = null;
  for (const [name, value] of headerPairs(raw)) {
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    listed ??= new Set(HOP_BY_HOP);
    for (const each of value.split(',')) listed.add(each.trim().toLowerCase());
  }
  return listed ?? HOP_BY_HOP;
}
