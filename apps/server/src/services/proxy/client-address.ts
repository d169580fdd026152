import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/**
 * Which proxies in front of this server may say who came to them. As uvicorn's `FORWARDED_ALLOW_IPS`: addresses and ranges with commas, `*` is
 * all.
 */
export function isTrustedProxy(address: string, allowed: readonly string[]): boolean {
  const asked = plain(address);
  return allowed.some((entry) => entry === '*' || entry === asked || isWithin(asked, entry));
}

/** Such as `10.0.0.0/8`. */
export function isProxyRange(text: string): boolean {
  return rangeOf(text) !== null;
}

export function clientAddress(request: IncomingMessage): string {
  return plain(request.socket.remoteAddress ?? '');
}

/** `::ffff:10.0.0.1` is an IPv4 address that came to an IPv6 socket. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}

function isWithin(address: string, range: string): boolean {
  const family = isIP(address);
  return family !== 0 && (rangeOf(range)?.check(address, family === 4 ? 'ipv4' : 'ipv6') ?? false);
}

function rangeOf(text: string): BlockList | null {
  const [network = '', bits = '', ...more] = text.split('/');
  const family = isIP(network);
  const isRange = family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
  if (!isRange || more.length > 0) return null;
  const range = new BlockList();
  range.addSubnet(network, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  return range;
}
