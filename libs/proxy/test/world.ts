import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type Exchange,
  forwardRequest,
  forwardUpgrade,
  type Outcome,
  ReplicaSet,
  type ReplicaTarget,
  requestHeaders,
  type UpgradeOutcome,
} from '../src/index.js';

const closers: (() => Promise<void> | void)[] = [];

export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

export interface TestReplica {
  readonly target: ReplicaTarget;
  readonly server: Server;
  readonly seen: IncomingMessage[];
  readonly sockets: Set<Socket>;
}

export async function replica(id: string, answer: RequestListener, group = '0'): Promise<TestReplica> {
  const seen: IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const port = await listen(server);
  return { target: { id, group, connect: () => dial(port) }, server, seen, sockets };
}

export function deadReplica(id: string): ReplicaTarget {
  return { id, group: '0', connect: () => Promise.reject(new Error('connect ECONNREFUSED')) };
}

function dial(port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

export interface Proxy {
  readonly url: string;
  readonly port: number;
  readonly replicas: ReplicaSet;
  readonly outcomes: Outcome[];
  readonly upgrades: UpgradeOutcome[];
}

export async function proxy(
  targets: readonly ReplicaTarget[],
  options: { answerMs?: number; more?: Partial<Exchange> } = {},
): Promise<Proxy> {
  const answerMs = options.answerMs ?? 5_000;
  const replicas = new ReplicaSet({ limits: { connections: 64, answerMs }, now: Date.now, random: () => 0 });
  replicas.update(targets);
  const outcomes: Outcome[] = [];
  const upgrades: UpgradeOutcome[] = [];
  const headersOf = (request: IncomingMessage): string[] =>
    requestHeaders(request.rawHeaders, {
      clientAddress: request.socket.remoteAddress ?? '',
      protocol: 'http',
      prefix: '',
      isTrusted: false,
      dropAuthorization: true,
    });
  const server = createServer((request, response) => {
    void forwardRequest(
      { request, response, path: request.url ?? '/', headers: headersOf(request), maxBodyBytes: null, ...options.more },
      replicas,
    ).then((outcome) => {
      outcomes.push(outcome);
      if (outcome.kind === 'answered' || outcome.kind === 'client-gone') return;
      response.writeHead(outcome.kind === 'too-large' ? 413 : 502, { connection: 'close' }).end(outcome.kind);
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const exchange = { request, socket, head, path: request.url ?? '/', headers: headersOf(request), answerMs };
    void forwardUpgrade(exchange, replicas).then((outcome) => {
      upgrades.push(outcome);
      if (outcome.kind === 'no-replica' || outcome.kind === 'failed')
        socket.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n');
    });
  });
  const port = await listen(server);
  closers.push(() => replicas.close());
  return { url: `http://127.0.0.1:${port}`, port, replicas, outcomes, upgrades };
}

export function connectTo(port: number): Promise<Socket> {
  return dial(port) as Promise<Socket>;
}

/** Everything the stream says until `isEnough` or its end. */
export function readUntil(socket: Socket, isEnough: (text: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const take = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (isEnough(text)) done();
    };
    const done = (): void => {
      socket.off('data', take);
      resolve(text);
    };
    socket.on('data', take).once('close', done);
  });
}

export async function until(is: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!is()) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Node's own client: `fetch` hides what is tested here. */
export function ask(
  port: number,
  options: { method?: string; path?: string; headers?: Record<string, string>; body?: string | Buffer },
): Promise<{ status: number; headers: IncomingMessage['headers']; raw: string[]; body: string }> {
  return new Promise((resolve, reject) => {
    const { body, ...rest } = options;
    const request = httpRequest({ port, host: '127.0.0.1', agent: false, ...rest }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.once('end', () =>
        resolve({
          status: reply.statusCode ?? 0,
          headers: reply.headers,
          raw: reply.rawHeaders,
          body: Buffer.concat(chunks).toString(),
        }),
      );
      reply.once('error', reject);
    });
    request.once('error', reject);
    request.end(body);
  });
}
