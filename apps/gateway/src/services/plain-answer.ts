import { STATUS_CODES } from 'node:http';

/** An answer of this program where there is no HTTP server: as text, after which the connection ends. */
export function plainAnswer(status: number, detail: string, headers: Readonly<Record<string, string>> = {}): string {
  const body = JSON.stringify({ detail });
  const all = {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`;
}

export const NOT_READY = plainAnswer(503, 'The service has no replica that is ready yet. Try again later', {
  'Retry-After': '10',
});
