import { STATUS_CODES } from 'node:http';

/** An answer of this program in the place of a replica's. */
export interface PlainReply {
  readonly status: number;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const NOT_READY: PlainReply = {
  status: 503,
  detail: 'The service has no replica that is ready yet. Try again later',
  headers: { 'Retry-After': '10' },
};
export const UNREACHABLE: PlainReply = { status: 502, detail: 'No replica of the service can be reached' };
export const TOO_LATE: PlainReply = { status: 504, detail: 'The replica of the service did not answer in time' };

/** Where there is no HTTP server: as text, after which the connection ends. */
export function plainAnswer({ status, detail, headers = {} }: PlainReply): string {
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
