import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  accessSchema,
  certificatesSchema,
  challengesSchema,
  type GatewayAccess,
  type GatewayCertificate,
  type GatewayErrorBody,
  type GatewayInfo,
  type GatewayState,
  type GatewayStats,
  type GatewayStatus,
  type ChallengeAnswer,
  LED_CONNECTIONS_PATH,
  parseGatewayState,
  parseWith,
  StaleRevisionError,
  type StatsSecond,
  type Wait,
} from '@dstack/gateway-protocol';

/** By id of the service, oldest first. */
export type CountedTraffic = Readonly<Record<string, readonly StatsSecond[]>>;

/** What the server may ask, without the ways to ask it. */
export interface Controlled {
  heard(): void;
  info(): GatewayInfo;
  /** For the program that takes over; no word of the server. */
  traffic(): Promise<CountedTraffic>;
  putState(state: GatewayState): Promise<GatewayStatus>;
  putAccess(access: GatewayAccess): Promise<void>;
  status(wait: Wait, signal: AbortSignal): Promise<GatewayStatus>;
  stats(wait: Wait, signal: AbortSignal): Promise<GatewayStats>;
  putChallenges(answers: readonly ChallengeAnswer[]): void;
  certificates(): Promise<GatewayCertificate[]>;
  putCertificates(certificates: readonly GatewayCertificate[]): Promise<void>;
  /** The server waits there to lead somebody to a replica. */
  takeLead(stream: Duplex): void;
}

const MOST_BYTES = 64 * 1024 * 1024;
const LONGEST_WAIT_MS = 60_000;

class RequestError extends Error {
  constructor(
    readonly status: number,
    readonly code: GatewayErrorBody['code'],
    message: string,
  ) {
    super(message);
  }
}

/** The protocol of `@dstack/gateway-protocol` over a socket that only the server's SSH user may open. Questions wait until there is somebody to answer. */
export class ControlServer {
  readonly server: Server;

  constructor(private readonly controlled: Promise<Controlled>) {
    this.server = createServer({ requestTimeout: 0 }, (request, response) => {
      this.answer(request, response).then(
        (body) => send(response, 200, body ?? {}),
        (error: unknown) => sendError(response, error),
      );
    });
    this.server.on('upgrade', (request, stream: Duplex) => {
      stream.on('error', () => stream.destroy());
      void this.upgrade(request, stream);
    });
  }

  /** What is being answered is answered. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeIdleConnections();
    await closed;
  }

  private async upgrade({ url }: IncomingMessage, stream: Duplex): Promise<void> {
    const gateway = await this.controlled;
    if (url !== LED_CONNECTIONS_PATH) return void stream.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    gateway.heard();
    gateway.takeLead(stream);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const gateway = await this.controlled;
    const [path = '', query] = (request.url ?? '').split('?');
    const asked = new URLSearchParams(query);
    const left = new AbortController();
    response.once('close', () => left.abort());
    switch (`${request.method ?? 'GET'} ${path}`) {
      case 'GET /v1/info':
        return gateway.info();
      case 'GET /v1/traffic':
        return gateway.traffic();
      case 'PUT /v1/state': {
        const state = parsed(parseGatewayState, await readJson(request));
        gateway.heard();
        return gateway.putState(state);
      }
      case 'PUT /v1/access': {
        const access = parsed((value) => parseWith(accessSchema, value, 'an access list'), await readJson(request));
        gateway.heard();
        return gateway.putAccess(access);
      }
      case 'GET /v1/status':
        gateway.heard();
        return gateway.status(readWait(asked), left.signal);
      case 'GET /v1/stats':
        gateway.heard();
        return gateway.stats(readWait(asked), left.signal);
      case 'PUT /v1/challenges': {
        const { answers } = parsed(
          (value) => parseWith(challengesSchema, value, 'a list of challenges'),
          await readJson(request),
        );
        gateway.heard();
        return gateway.putChallenges(answers);
      }
      case 'GET /v1/certificates':
        gateway.heard();
        return { certificates: await gateway.certificates() };
      case 'PUT /v1/certificates': {
        const { certificates } = parsed(
          (value) => parseWith(certificatesSchema, value, 'a list of certificates'),
          await readJson(request),
        );
        gateway.heard();
        return gateway.putCertificates(certificates);
      }
      default:
        throw new RequestError(404, 'not_found', `there is no ${request.method ?? 'GET'} ${path}`);
    }
  }
}

function parsed<T>(parse: (value: unknown) => T, value: unknown): T {
  try {
    return parse(value);
  } catch (error) {
    throw new RequestError(400, 'bad_request', error instanceof Error ? error.message : String(error));
  }
}

function readWait(asked: URLSearchParams): Wait {
  const number = (name: string): number => {
    const value = Number(asked.get(name) ?? 0);
    if (!Number.isFinite(value) || value < 0) throw new RequestError(400, 'bad_request', `${name} must be a number`);
    return value;
  };
  return { after: number('after'), waitMs: Math.min(number('wait'), LONGEST_WAIT_MS) };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MOST_BYTES) throw new RequestError(413, 'bad_request', `the body is over ${MOST_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    throw new RequestError(400, 'bad_request', 'the body is not JSON');
  }
}

function sendError(response: ServerResponse, error: unknown): void {
  if (error instanceof StaleRevisionError) {
    const { message, currentRevision } = error;
    return send(response, 409, { code: 'stale_revision', message, currentRevision });
  }
  if (error instanceof RequestError) return send(response, error.status, { code: error.code, message: error.message });
  if (error instanceof RangeError) return send(response, 400, { code: 'bad_request', message: error.message });
  const message = error instanceof Error ? error.message : String(error);
  send(response, 500, { code: 'internal', message });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
