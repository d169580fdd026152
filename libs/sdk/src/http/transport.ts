import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { ConnectionError, DstackError } from '../errors.js';
import { connectionProblem } from './connection-problem.js';
import { errorOfReply } from './error-of-reply.js';
import { HttpClient } from './http-client.js';
import { serverAddress } from './server-address.js';
import { type Failure, type Repeatable, retryDelayMs } from './retry.js';
import { sleep } from './sleep.js';

export interface TransportOptions {
  readonly url: string;
  readonly token: string;
  /** For one request, without streams. Default 60 s. */
  readonly timeoutMs?: number | undefined;
  /** Sent as `X-API-Version`: the API version this client was written for. */
  readonly apiVersion?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Hears of every request that is still without an answer after five seconds: people who wait want to know for what. */
  readonly onSlow?: ((request: SlowRequest) => void) | undefined;
}

export interface SlowRequest {
  readonly url: string;
  readonly path: string;
  readonly waitedMs: number;
  /** When it is given up. */
  readonly timeoutMs: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface Call extends CallOptions {
  readonly method?: 'POST' | 'GET';
  readonly path: string;
  readonly query?: Record<string, string | number | boolean | undefined>;
  readonly body?: unknown;
  readonly repeatable: Repeatable;
  readonly headers?: Record<string, string>;
}

export const API_VERSION = '0.21.2';
const DEFAULT_TIMEOUT_MS = 60_000;
const SLOW_MS = 5_000;

/** HTTP with the server's rules: bearer token, error envelopes, retries only where a repeat does no harm. */
export class Transport {
  readonly url: string;
  private readonly http: HttpClient;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly timeoutMs: number;
  private readonly onSlow: TransportOptions['onSlow'];

  constructor(options: TransportOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.onSlow = options.onSlow;
    this.http = new HttpClient(serverAddress(options.url));
    this.headers = {
      Authorization: `Bearer ${options.token}`,
      'X-API-Version': options.apiVersion ?? API_VERSION,
      'User-Agent': options.userAgent ?? 'dstack-sdk-js',
    };
  }

  /** @throws {ApiError | ConnectionError | DstackError} */
  async json<T>(call: Call): Promise<T> {
    const { status, headers, content } = await this.send(call, read);
    const body = parseBody(content);
    if (status >= 400) throw refused(call, { status, headers }, body);
    if (status >= 300 || (typeof body === 'string' && body.startsWith('<')))
      throw new DstackError('server', `${this.url} does not answer like a dstack server (${status}).`, {
        hint: 'Check the URL of the project: dstack project list',
      });
    // The parse boundary: the reply's shape is the contract's.
    return body as T;
  }

  /** A chunked reply as it arrives. No time limit once the headers are there. */
  async stream(call: Call): Promise<Readable> {
    const { status, headers, content } = await this.send(call, async (stream) => stream);
    if (status < 300) return content;
    throw refused(call, { status, headers }, parseBody(await read(content)));
  }

  private async send<T>(call: Call, take: Take<T>): Promise<Reply<T>> {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.once(call, take);
      const failure = failureOf(outcome);
      const delay = failure && retryDelayMs(call.repeatable, failure, attempt, Math.random());
      if (delay === undefined) {
        if (outcome instanceof Error) throw outcome;
        return outcome;
      }
      await sleep(delay, call.signal);
    }
  }

  private async once<T>(call: Call, take: Take<T>): Promise<Reply<T> | ConnectionError> {
    const limit = new AbortController();
    const timeoutMs = call.timeoutMs ?? this.timeoutMs;
    const timer = setTimeout(() => limit.abort(), timeoutMs);
    const { url, onSlow } = this;
    const slow = setTimeout(() => onSlow?.({ url, path: call.path, waitedMs: SLOW_MS, timeoutMs }), SLOW_MS);
    const signal = call.signal ? AbortSignal.any([limit.signal, call.signal]) : limit.signal;
    try {
      const response = await this.http.request({
        method: call.method ?? 'POST',
        path: call.path,
        query: call.query ?? {},
        headers: { ...this.headers, ...call.headers },
        body: call.body,
        signal,
      });
      return { status: response.statusCode ?? 0, headers: response.headers, content: await take(response) };
    } catch (error) {
      if (call.signal?.aborted) throw aborted(call.signal);
      if (limit.signal.aborted)
        throw new DstackError('timeout', `${this.url}${call.path} did not answer within ${timeoutMs / 1000} s.`, {
          hint: 'Check that the server is well (its log), then try again.',
        });
      const { message, hint, neverSent, lasting } = connectionProblem(this.url, error);
      const lost = new ConnectionError(message, neverSent, { cause: error, hint });
      if (lasting) throw lost;
      return lost;
    } finally {
      clearTimeout(timer);
      clearTimeout(slow);
    }
  }
}

export function aborted(signal: AbortSignal): DstackError {
  return new DstackError('aborted', 'The call was cancelled.', { cause: signal.reason });
}

interface ReplyHead {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
}

interface Reply<T> extends ReplyHead {
  readonly content: T;
}

type Take<T> = (response: IncomingMessage) => Promise<T>;

async function read(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}

function failureOf(outcome: ReplyHead | ConnectionError): Failure | undefined {
  if (outcome instanceof ConnectionError) return { what: 'no-connection', neverSent: outcome.neverSent };
  if (outcome.status < 400) return undefined;
  const after = Number(outcome.headers['retry-after']);
  return { what: 'status', status: outcome.status, retryAfterMs: Number.isFinite(after) ? after * 1000 : undefined };
}

function refused(call: Call, { status, headers }: ReplyHead, body: unknown) {
  const requestId = headers['x-request-id'];
  return errorOfReply({
    method: call.method ?? 'POST',
    path: call.path,
    status,
    body,
    requestId: typeof requestId === 'string' ? requestId : undefined,
  });
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
