import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export type Handler = (request: Received, response: ServerResponse) => void | Promise<void>;

/** A real HTTP server whose routes a test writes; keeps what it received. */
export class FakeServer {
  readonly received: Received[] = [];
  private readonly routes = new Map<string, Handler>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeServer> {
    const fake: FakeServer = new FakeServer(createServer((request, response) => void fake.serve(request, response)));
    await new Promise<void>((resolve) => fake.server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  on(path: string, handler: Handler): this {
    this.routes.set(path, handler);
    return this;
  }

  json(path: string, reply: unknown, status = 200): this {
    return this.on(path, (_, response) => sendJson(response, reply, status));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const url = new URL(request.url ?? '/', 'http://fake');
    const isJson = request.headers['content-type']?.startsWith('application/json') ?? false;
    const received: Received = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: isJson ? JSON.parse(text) : text,
    };
    this.received.push(received);
    const handler = this.routes.get(url.pathname);
    if (handler) await handler(received, response);
    else sendJson(response, { detail: 'Not Found' }, 404);
  }
}

export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** A frame of the log stream. */
export function logFrame(payload: string, endOffset: number, atMs = 0): Buffer {
  const bytes = Buffer.from(payload);
  const head = Buffer.alloc(20);
  head.writeUInt32BE(bytes.length, 0);
  head.writeBigUInt64BE(BigInt(endOffset), 4);
  head.writeBigUInt64BE(BigInt(atMs), 12);
  return Buffer.concat([head, bytes]);
}
