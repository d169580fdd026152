import { type IncomingMessage, request as httpRequest } from 'node:http';
import { connect as connectTo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { GatewayAccess } from './access.js';
import type { ChallengeAnswer, GatewayCertificate } from './certificates.js';
import type { GatewayStateInput } from './desired-state.js';
import {
  type GatewayApi,
  type GatewayErrorBody,
  GatewayRequestError,
  GatewayUnreachableError,
  StaleRevisionError,
  type Wait,
} from './gateway-api.js';
import type { GatewayStats } from './gateway-stats.js';
import type { GatewayStatus } from './gateway-status.js';
import { LED_CONNECTIONS_PATH, type LedConnection, takeLedConnection } from './led-connection.js';
import type { GatewayInfo } from './version.js';

export interface GatewayClientOptions {
  /** Path of the gateway's socket, or how to open a stream to it (a channel of an SSH connection). */
  readonly connect: (() => Promise<Duplex>) | string;
  /** For one reply, beyond what the call waits by itself. Default 30 s. */
  readonly deadlineMs?: number;
}

export function createGatewayClient(options: GatewayClientOptions): GatewayApi {
  return new HttpGatewayClient(options);
}

interface Call {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly body?: unknown;
  readonly waitMs?: number;
  readonly signal: AbortSignal;
}

class HttpGatewayClient implements GatewayApi {
  private readonly connect: () => Promise<Duplex>;
  private readonly deadlineMs: number;
  private readonly open = new Set<Duplex>();

  constructor({ connect, deadlineMs = 30_000 }: GatewayClientOptions) {
    this.connect = typeof connect === 'string' ? () => openSocket(connect) : connect;
    this.deadlineMs = deadlineMs;
  }

  info(signal: AbortSignal): Promise<GatewayInfo> {
    return this.json({ method: 'GET', path: '/v1/info', signal });
  }

  putState(state: GatewayStateInput, signal: AbortSignal): Promise<GatewayStatus> {
    return this.json({ method: 'PUT', path: '/v1/state', body: state, signal });
  }

  async putAccess(access: GatewayAccess, signal: AbortSignal): Promise<void> {
    await this.json({ method: 'PUT', path: '/v1/access', body: access, signal });
  }

  status(wait: Wait, signal: AbortSignal): Promise<GatewayStatus> {
    return this.json({ method: 'GET', path: `/v1/status?${query(wait)}`, waitMs: wait.waitMs, signal });
  }

  stats(wait: Wait, signal: AbortSignal): Promise<GatewayStats> {
    return this.json({ method: 'GET', path: `/v1/stats?${query(wait)}`, waitMs: wait.waitMs, signal });
  }

  async putChallenges(answers: readonly ChallengeAnswer[], signal: AbortSignal): Promise<void> {
    await this.json({ method: 'PUT', path: '/v1/challenges', body: { answers }, signal });
  }

  async certificates(signal: AbortSignal): Promise<GatewayCertificate[]> {
    const reply = await this.json<{ certificates: GatewayCertificate[] }>({
      method: 'GET',
      path: '/v1/certificates',
      signal,
    });
    return reply.certificates;
  }

  async putCertificates(certificates: readonly GatewayCertificate[], signal: AbortSignal): Promise<void> {
    await this.json({ method: 'PUT', path: '/v1/certificates', body: { certificates }, signal });
  }

  async ledConnection(signal: AbortSignal): Promise<LedConnection> {
    try {
      const stream = await raceAbort(this.connect(), signal);
      this.open.add(stream);
      stream.once('close', () => this.open.delete(stream));
      return await upgrade(stream, signal).catch((error: unknown) => {
        stream.destroy();
        throw error;
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof GatewayRequestError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new GatewayUnreachableError(`GET ${LED_CONNECTIONS_PATH}: ${why}`, { cause: error });
    }
  }

  close(): void {
    for (const stream of this.open) stream.destroy();
  }

  private async json<T>(call: Call): Promise<T> {
    const timeout = AbortSignal.timeout(this.deadlineMs + (call.waitMs ?? 0));
    const signal = AbortSignal.any([call.signal, timeout]);
    try {
      const stream = await raceAbort(this.connect(), signal);
      this.open.add(stream);
      try {
        const reply = await exchange(stream, call, signal);
        // The gateway is one of ours, of a version both sides agreed on.
        return parseReply(reply) as T;
      } finally {
        this.open.delete(stream);
        stream.destroy();
      }
    } catch (error) {
      if (call.signal.aborted) throw call.signal.reason;
      if (error instanceof StaleRevisionError || error instanceof GatewayRequestError) throw error;
      const [path] = call.path.split('?');
      const why = timeout.aborted ? 'no reply in time' : error instanceof Error ? error.message : String(error);
      throw new GatewayUnreachableError(`${call.method} ${path ?? ''}: ${why}`, { cause: error });
    }
  }
}

interface Reply {
  readonly status: number;
  readonly body: string;
}

/** A stream for each request: a channel costs less than keeping one alive. */
function exchange(stream: Duplex, { method, path, body }: Call, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const bytes = body === undefined ? null : Buffer.from(JSON.stringify(body));
    const request = httpRequest({
      createConnection: () => stream,
      method,
      path,
      signal,
      headers: {
        host: 'gateway',
        connection: 'close',
        ...(bytes === null ? {} : { 'content-type': 'application/json', 'content-length': bytes.length }),
      },
    });
    request.once('response', (reply) => void readAll(reply).then(resolve, reject));
    request.once('error', reject);
    request.end(bytes);
  });
}

/** Waits until the gateway has something to say there. */
function upgrade(stream: Duplex, signal: AbortSignal): Promise<LedConnection> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      createConnection: () => stream,
      path: LED_CONNECTIONS_PATH,
      signal,
      headers: { host: 'gateway', connection: 'Upgrade', upgrade: 'tcp' },
    });
    request.once('upgrade', ({ headers }, socket, head) => {
      socket.allowHalfOpen = true;
      if (head.length > 0) socket.unshift(head);
      resolve(takeLedConnection(headers, socket));
    });
    request.once('response', (reply) => {
      readAll(reply)
        .then(parseReply)
        .then(() => reject(new Error('the gateway knows no such connections')), reject);
    });
    request.once('error', reject);
    request.end();
  });
}

async function readAll(reply: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = [];
  for await (const chunk of reply) chunks.push(chunk as Buffer);
  return { status: reply.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') };
}

function parseReply({ status, body }: Reply): unknown {
  if (status >= 200 && status < 300) return body === '' ? undefined : (JSON.parse(body) as unknown);
  const error = parseError(body);
  if (error?.code === 'stale_revision') throw new StaleRevisionError(error.currentRevision ?? -1);
  throw new GatewayRequestError(status, error?.code ?? 'internal', error?.message ?? `the gateway answered ${status}`);
}

function parseError(body: string): GatewayErrorBody | undefined {
  try {
    const value = JSON.parse(body) as GatewayErrorBody | null;
    return typeof value?.code === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function query({ after, waitMs }: Wait): string {
  return `after=${after}&wait=${waitMs}`;
}

/** A stream that opens after nobody waits for it any more is closed again. */
function raceAbort(opening: Promise<Duplex>, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
      opening.then(
        (stream) => stream.destroy(),
        () => undefined,
      );
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    opening.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function openSocket(path: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connectTo({ path });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
