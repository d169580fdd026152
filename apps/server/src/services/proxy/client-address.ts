import type { IncomingMessage } from 'node:http';

/** Which proxies in front of this server may say who came to them. As uvicorn's `FORWARDED_ALLOW_IPS`: addresses with commas, `*` is all. */
export function isTrustedProxy(address: string, allowed: readonly string[]): boolean {
  return allowed.includes('*') || allowed.includes(plain(address));
}

export function clientAddress(request: IncomingMessage): string {
  return plain(request.socket.remoteAddress ?? '');
}

/** `::ffff:10.0.0.1` is an IPv4 address that came to an IPv6 socket. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}
