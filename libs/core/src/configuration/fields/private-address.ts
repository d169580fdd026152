/** Networks that are not routed on the public internet: RFC 1918, loopback, link-local, carrier NAT, IPv6 local. */
const privateV4: readonly (readonly [number, number])[] = [
  [v4('10.0.0.0'), 8],
  [v4('172.16.0.0'), 12],
  [v4('192.168.0.0'), 16],
  [v4('100.64.0.0'), 10],
  [v4('127.0.0.0'), 8],
  [v4('169.254.0.0'), 16],
];

export function isPrivateAddress(address: string): boolean {
  const value = parseV4(address);
  if (value !== undefined) return privateV4.some(([base, bits]) => within(value, base, bits));
  return isV6(address) && /^(?:f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:|::1$)/i.test(address);
}

/** A CIDR block all of whose addresses are private; bits of the host part may be set. */
export function isPrivateNetwork(network: string): boolean {
  const [, address = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(network) ?? [];
  const bits = Number(digits);
  const value = parseV4(address);
  if (value !== undefined)
    return (
      bits <= 32 && digits !== '' && privateV4.some(([base, least]) => bits >= least && within(value, base, least))
    );
  return digits !== '' && bits <= 128 && bits >= 7 && isPrivateAddress(address);
}

/** False for anything but an IPv4 address in an IPv4 network: what nodes are told of each other is IPv4. */
export function isInNetwork(address: string, network: string): boolean {
  const [base = '', digits = ''] = network.split('/');
  const [value, start] = [parseV4(address), parseV4(base)];
  return value !== undefined && start !== undefined && within(value, start, Number(digits));
}

function parseV4(address: string): number | undefined {
  const parts = address.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return undefined;
  return v4(address);
}

function v4(address: string): number {
  return address.split('.').reduce((value, part) => value * 256 + Number(part), 0);
}

function within(value: number, base: number, bits: number): boolean {
  const size = 2 ** (32 - bits);
  return Math.floor(value / size) === Math.floor(base / size);
}

function isV6(address: string): boolean {
  const halves = address.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const fits = halves.length === 2 ? groups.length < 8 : groups.length === 8;
  return fits && groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group));
}
