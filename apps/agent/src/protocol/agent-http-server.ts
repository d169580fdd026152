import * as http from 'node:http';
import { rm } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import {
  type AgentErrorBody,
  AgentRequestError,
  EPOCH_HEADER,
  joinStreams,
  type LogStream,
  parseJobStart,
} from '@dstack/agent-protocol';
import { BlobMismatchError } from '../files/blob-store.js';
import { nameSocket } from '../files/socket-path.js';
import { type AgentService, ConflictError, UnknownJobError } from './agent-service.js';
import { type EpochGate, StaleEpoch } from './epoch-gate.js';
import { streamEvents } from './event-stream.js';
import { sendLog } from './log-response.js';
import { BadRequestError, parseAck, parseDesired, parsePowerOff, parseStop, readJsonBody } from './request-body.js';
import { readTarget, type RequestTarget } from './request-target.js';

export interface AgentHttpServerOptions {
  readonly service: AgentService;
  readonly gate: EpochGate;
  /** Of machines that power themselves off without a server; containers end otherwise. */
  readonly watch?: ServerWatch;
  readonly now: () => number;
  readonly heartbeatMs?: number;
  readonly metricsMs?: number;
}

export interface ServerWatch {
  arm(afterSeconds: number | null): Promise<void>;
  /** A server is connected until it says that it is not. */
  enter(): () => void;
}

const JOB_ROUTE = /^\/v1\/jobs\/([A-Za-z0-9_-]{1,64})(\/.*)?$/;

/** Serves the agent protocol on a unix socket that only its owner may open. */
export class AgentHttpServer {
  private readonly server: http.Server;
  /** Node does not count them among its connections any more. */
  private readonly tunnels = new Set<Duplex>();

  constructor(private readonly options: AgentHttpServerOptions) {
    this.server = http.createServer((request, response) => {
      this.handle(request, response).catch((error: unknown) => {
        sendError(response, error);
      });
    });
    this.server.requestTimeout = 0;
    this.server.keepAliveTimeout = 60_000;
    this.server.on('upgrade', (request, socket, head) => {
      void this.upgrade(request, socket, head);
    });
  }

  async listen(socketPath: string): Promise<void> {
    await rm(socketPath, { force: true });
    const name = nameSocket(socketPath);
    await new Promise<void>((resolve, reject) => {
      const before = process.umask(0o177);
      this.server.once('error', reject);
      this.server.listen(name.path, () => {
        this.server.off('error', reject);
        resolve();
      });
      // `listen` on a path binds before it returns.
      process.umask(before);
    });
    this.server.once('close', name.release);
  }

  /** Serves a stream that arrived some other way, such as a channel of the job's SSH server. */
  serve(stream: Duplex): void {
    this.server.emit('connection', stream);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => {
        resolve();
      });
    });
    this.server.closeAllConnections();
    for (const tunnel of this.tunnels) tunnel.destroy();
    await closed;
  }

  private async handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { service, watch } = this.options;
    const { path, query } = readTarget(request);
    const route = `${request.method ?? 'GET'} ${path}`;
    if (route === 'GET /v1/info') {
      sendJson(response, await service.info());
      return;
    }
    const superseded = await this.options.gate.admit(readEpoch(request));
    if (route === 'PUT /v1/desired') {
      sendJson(response, await service.desire(parseDesired(await readJsonBody(request)).jobIds));
    } else if (route === 'PUT /v1/power-off' && watch !== undefined) {
      await watch.arm(parsePowerOff(await readJsonBody(request)).afterSeconds);
      sendJson(response, {});
    } else if (route === 'GET /v1/events') {
      if (watch !== undefined) response.once('close', watch.enter());
      const { heartbeatMs = 5000, metricsMs = 10_000, now } = this.options;
      streamEvents(service, response, superseded, { heartbeatMs, metricsMs }, now);
    } else {
      const match = JOB_ROUTE.exec(path);
      if (match?.[1] === undefined) throw new NoRouteError(route);
      await this.handleJob(request, response, { path, query, jobId: match[1], rest: match[2] ?? '', superseded });
    }
  }

  private async handleJob(request: http.IncomingMessage, response: http.ServerResponse, call: JobCall): Promise<void> {
    const { service } = this.options;
    const { jobId, rest, query } = call;
    const route = `${request.method ?? 'GET'} ${rest}`;
    const blob = /^PUT \/blobs\/([0-9a-f]{64})$/.exec(route)?.[1];
    if (blob !== undefined) {
      await service.putBlob(jobId, blob, request);
      sendJson(response, {});
    } else if (route === 'PUT ') {
      const job = parseJobStart(await readJsonBody(request));
      if (job.id !== jobId) throw new BadRequestError(`the job's id is ${job.id}, the path says ${jobId}`);
      sendJson(response, await service.start(job));
    } else if (route === 'DELETE ') {
      await service.remove(jobId);
      sendJson(response, {});
    } else if (route === 'POST /stop') {
      sendJson(response, await service.stop(jobId, parseStop(await readJsonBody(request))));
    } else if (route === 'POST /logs/ack') {
      const ack = parseAck(await readJsonBody(request));
      await this.log(jobId, ack.stream).acknowledge(ack.offset);
      sendJson(response, {});
    } else if (route === 'GET /logs') {
      const log = this.log(jobId, readStream(query.get('stream')));
      const range = { offset: readCount(query, 'offset'), windowBytes: readCount(query, 'window') };
      await sendLog(log, range, response, call.superseded, this.options.heartbeatMs ?? 5000);
    } else {
      throw new NoRouteError(`${request.method ?? 'GET'} ${call.path}`);
    }
  }

  private async openTunnel(request: http.IncomingMessage, socket: Duplex): Promise<Duplex> {
    const { service } = this.options;
    const [, jobId, port, server] =
      /^\/v1\/jobs\/([A-Za-z0-9_-]{1,64})\/(?:tcp\/(\d{1,5})|(server))$/.exec(request.url ?? '') ?? [];
    if (jobId !== undefined && server !== undefined) {
      const superseded = await this.options.gate.admit(readEpoch(request));
      return service.acceptServerConnection(jobId, endOf(socket, superseded));
    }
    if (jobId === undefined || Number(port) < 1 || Number(port) > 65535) throw new NoRouteError(request.url ?? '/');
    return service.openPort(jobId, Number(port));
  }

  private log(jobId: string, stream: LogStream) {
    const log = this.options.service.log(jobId, stream);
    if (log === undefined) throw new UnknownJobError(jobId);
    return log;
  }

  private async upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    this.tunnels.add(socket);
    socket.once('close', () => this.tunnels.delete(socket));
    try {
      const target = await this.openTunnel(request, socket);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: tcp\r\n\r\n');
      if (head.length > 0) target.write(head);
      await joinStreams(socket, target);
    } catch (error) {
      const { status, body } = describeError(error);
      const text = request.method === 'HEAD' ? '' : JSON.stringify(body);
      socket.end(
        `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Error'}\r\ncontent-type: application/json\r\n` +
          `content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
      );
    }
  }
}

/** Aborts with the stream, which ends when another server takes over. */
function endOf(socket: Duplex, superseded: AbortSignal): AbortSignal {
  const gone = new AbortController();
  const end = (): void => {
    socket.destroy();
  };
  superseded.addEventListener('abort', end, { once: true });
  socket.once('close', () => {
    superseded.removeEventListener('abort', end);
    gone.abort();
  });
  return gone.signal;
}

interface JobCall extends RequestTarget {
  readonly jobId: string;
  readonly rest: string;
  readonly superseded: AbortSignal;
}

class NoRouteError extends Error {
  constructor(route: string) {
    super(`there is no ${route}`);
  }
}

function readEpoch(request: http.IncomingMessage): number {
  const text = request.headers[EPOCH_HEADER];
  const epoch = typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(epoch)) throw new BadRequestError(`header ${EPOCH_HEADER} must be a whole number`);
  return epoch;
}

function readStream(value: string | null): LogStream {
  if (value === 'job' || value === 'runner') return value;
  throw new BadRequestError('stream must be "job" or "runner"');
}

function readCount(query: URLSearchParams, name: string): number {
  const value = Number(query.get(name) ?? NaN);
  if (!Number.isSafeInteger(value) || value < 0) throw new BadRequestError(`${name} must be a whole number`);
  return value;
}

function sendJson(response: http.ServerResponse, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}

function sendError(response: http.ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, body } = describeError(error);
  const text = Buffer.from(JSON.stringify(body));
  // The rest of a refused upload is not read, so the connection cannot be used again.
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': text.length,
    connection: 'close',
  });
  response.end(text);
}

function describeError(error: unknown): { readonly status: number; readonly body: AgentErrorBody } {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof StaleEpoch)
    return { status: 409, body: { code: 'stale_epoch', message, currentEpoch: error.currentEpoch } };
  if (error instanceof UnknownJobError || error instanceof NoRouteError)
    return { status: 404, body: { code: 'not_found', message } };
  // The job side's answer, passed on.
  if (error instanceof AgentRequestError) return { status: error.status, body: { code: error.code, message } };
  if (error instanceof ConflictError) return { status: 409, body: { code: 'conflict', message } };
  if (error instanceof BadRequestError || error instanceof RangeError || error instanceof BlobMismatchError) {
    return { status: 400, body: { code: 'bad_request', message } };
  }
  return { status: 500, body: { code: 'internal', message } };
}
