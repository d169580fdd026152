import { Agent, type ClientRequest, type IncomingMessage, request as httpRequest, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { headerPairs } from './headers/hop-by-hop.js';
import { responseHeaders } from './headers/response-headers.js';
import type { Replica } from './replica.js';
import type { ReplicaSet } from './replica-set.js';

export interface UpgradeExchange {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came with the request already. */
  readonly head: Buffer;
  readonly path: string;
  /** For the replica, as a flat list, without those of the connection. */
  readonly headers: readonly string[];
  /** Until the replica has agreed. */
  readonly answerMs: number;
}

export type UpgradeOutcome =
  | { readonly kind: 'open'; readonly group: string; readonly closed: Promise<void> }
  /** The replica's own answer, which is no agreement, has gone to the client. */
  | { readonly kind: 'refused'; readonly status: number; readonly group: string }
  /** Nothing was sent to the client. */
  | { readonly kind: 'no-replica' }
  | { readonly kind: 'failed'; readonly message: string; readonly group: string };

/** Asks a replica for a WebSocket. Bytes flow freely only after it has agreed: before that the stream is HTTP, and ours. */
export async function forwardUpgrade(
  exchange: UpgradeExchange,
  replicas: ReplicaSet,
  now: () => number = Date.now,
): Promise<UpgradeOutcome> {
  const replica = replicas.pick(new Set());
  if (replica === null) return { kind: 'no-replica' };
  const { group } = replica;
  replica.begin();
  const done = (): void => replica.end();
  try {
    const answer = await ask(exchange, replica);
    if (answer.kind === 'refused') {
      await refuse(exchange.socket, answer.reply);
      done();
      return { kind: 'refused', status: answer.reply.statusCode ?? 502, group };
    }
    replica.answered();
    const closed = tunnel(exchange, answer).finally(done);
    return { kind: 'open', group, closed };
  } catch (error) {
    done();
    const message = error instanceof Error ? error.message : String(error);
    replica.failed(now(), message);
    return { kind: 'failed', message, group };
  }
}

type Answer =
  | { readonly kind: 'agreed'; readonly reply: IncomingMessage; readonly upstream: Duplex; readonly head: Buffer }
  | { readonly kind: 'refused'; readonly reply: IncomingMessage };

async function ask(exchange: UpgradeExchange, replica: Replica): Promise<Answer> {
  const stream = await replica.target.connect();
  const agent = new OneStream(stream);
  return new Promise<Answer>((resolve, reject) => {
    const request = httpRequest({
      agent,
      host: 'replica',
      method: exchange.request.method,
      path: exchange.path,
      setHost: false,
      headers: [...exchange.headers, 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
      timeout: exchange.answerMs,
    });
    const gone = (): void => void request.destroy(new Error('the client has gone'));
    exchange.socket.once('close', gone);
    const settled = (): void => void exchange.socket.off('close', gone);
    // A stream that somebody has listened to before stands still until it is told.
    request.once('socket', (socket) => socket.resume());
    request.once('timeout', () => request.destroy(new Error('the replica did not answer in time')));
    request.once('upgrade', (reply, upstream, head) => {
      settled();
      resolve({ kind: 'agreed', reply, upstream, head });
    });
    request.once('response', (reply) => {
      settled();
      resolve({ kind: 'refused', reply });
    });
    request.once('error', (error) => {
      settled();
      stream.destroy();
      reject(error);
    });
    request.end();
  });
}

/** Makes every request over the stream it was given. */
class OneStream extends Agent {
  constructor(private readonly stream: Duplex) {
    super({ keepAlive: false });
  }

  override createConnection(): Duplex {
    return this.stream;
  }

  addRequest(request: ClientRequest): void {
    request.onSocket(this.createConnection() as Parameters<ClientRequest['onSocket']>[0]);
  }
}

async function tunnel(
  { socket, head }: UpgradeExchange,
  { reply, upstream, head: first }: Extract<Answer, { kind: 'agreed' }>,
): Promise<void> {
  const agreed = [...responseHeaders(reply.rawHeaders), 'Connection', 'Upgrade', 'Upgrade', 'websocket'];
  socket.write(headText(101, agreed));
  if (first.length > 0) socket.write(first);
  if (head.length > 0) upstream.write(head);
  await new Promise<void>((resolve) => {
    const end = (): void => {
      socket.destroy();
      upstream.destroy();
      resolve();
    };
    for (const side of [socket, upstream]) side.once('close', end).once('error', end);
    socket.pipe(upstream);
    upstream.pipe(socket);
  });
}

const LONGEST_REFUSAL = 64 * 1024;

async function refuse(socket: Duplex, reply: IncomingMessage): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of reply) {
      size += (chunk as Buffer).length;
      if (size > LONGEST_REFUSAL) break;
      chunks.push(chunk as Buffer);
    }
  } catch {
    // What there is of it is told.
  }
  const body = Buffer.concat(chunks);
  // What came in pieces has a length now.
  const kept = Array.from(headerPairs(reply.rawHeaders)).filter(([name]) => name.toLowerCase() !== 'content-length');
  const headers = responseHeaders(kept.flat(), ['Content-Length', String(body.length), 'Connection', 'close']);
  socket.end(Buffer.concat([Buffer.from(headText(reply.statusCode ?? 502, headers)), body]));
}

function headText(status: number, headers: readonly string[]): string {
  const lines = Array.from(headerPairs(headers), ([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`;
}
