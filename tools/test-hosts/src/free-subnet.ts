const CANDIDATES = 256;

/** A /24 that overlaps none of the CIDRs in use, as its first three numbers; the search begins at `start`, so that two seldom meet. */
export function freeSubnet(used: readonly string[], start: number): string {
  const ranges = used.flatMap((cidr) => rangeOf(cidr) ?? []);
  for (let tried = 0; tried < CANDIDATES; tried += 1) {
    const prefix = `10.213.${(start + tried) % CANDIDATES}`;
    const wanted = rangeOf(`${prefix}.0/24`);
    if (wanted !== undefined && ranges.every(({ first, last }) => wanted.last < first || last < wanted.first))
      return prefix;
  }
  throw new Error('every network of 10.213.0.0/16 is in use on this machine');
}

function rangeOf(cidr: string): { readonly first: number; readonly last: number } | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(cidr);
  if (match === null) return undefined;
  const address = match.slice(1, 5).reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(match[5] ?? 32));
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1 };
}
