import type { Readable } from 'node:stream';
import axios, { type AxiosInstance, type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { ConnectionError, DstackError } from '../errors.js';
import { errorOfReply } from './error-of-reply.js';
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

/** HTTP with the server's rules: bearer token, error envelopes, retries only where a repeat does no harm. */
export class Transport {
  readonly url: string;
  private readonly http: AxiosInstance;
  private readonly timeoutMs: number;

  constructor(options: TransportOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const { baseUrl, socketPath } = serverAddress(options.url);
    this.http = axios.create({
      baseURL: baseUrl,
      ...(socketPath === undefined ? {} : { socketPath }),
      adapter: 'http',
      maxRedirects: 0,
      maxBodyLength: Infinity,
      maxContentLength: Infinity,
      validateStatus: () => true,
      headers: {
        Authorization: `Bearer ${options.token}`,
        'X-API-Version': options.apiVersion ?? API_VERSION,
        'User-Agent': options.userAgent ?? 'dstack-sdk-js',
      },
    });
  }

  /** @throws {ApiError | ConnectionError | DstackError} */
  async json<T>(call: Call): Promise<T> {
    const reply = await this.send(call, { responseType: 'text', transformResponse: (data: unknown) => data });
    const body = parseBody(reply.data);
    if (reply.status >= 400) throw refused(call, reply, body);
    if (reply.status >= 300 || (typeof body === 'string' && body.startsWith('<')))
      throw new DstackError('server', `${this.url} does not answer like a dstack server (${reply.status}).`, {
        hint: 'Check the URL of the project: dstack project list',
      });
    // The parse boundary: the reply's shape is the contract's.
    return body as T;
  }

  /** A chunked reply as it arrives. No time limit once the headers are there. */
  async stream(call: Call): Promise<Readable> {
    const reply = await this.send(call, { responseType: 'stream' });
    const stream = reply.data as Readable;
    if (reply.status < 300) return stream;
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
    throw refused(call, reply, parseBody(Buffer.concat(chunks).toString('utf8')));
  }

  private async send(call: Call, extra: AxiosRequestConfig): Promise<AxiosResponse<unknown>> {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.once(call, extra);
      const failure = failureOf(outcome);
      const delay = failure && retryDelayMs(call.repeatable, failure, attempt, Math.random());
      if (delay === undefined) {
        if (outcome instanceof Error) throw outcome;
        return outcome;
      }
      await sleep(delay, call.signal);
    }
  }

  private async once(call: Call, extra: AxiosRequestConfig): Promise<AxiosResponse<unknown> | ConnectionError> {
    // A timer of our own: axios' timeout would also end a stream that is merely quiet.
    const limit = new AbortController();
    const timeoutMs = call.timeoutMs ?? this.timeoutMs;
    const timer = setTimeout(() => limit.abort(), timeoutMs);
    const signal = call.signal ? AbortSignal.any([limit.signal, call.signal]) : limit.signal;
    try {
      return await this.http.request<unknown>({
        method: call.method ?? 'POST',
        url: call.path,
        data: call.body,
        signal,
        ...(call.query ? { params: call.query } : {}),
        headers: { ...(call.body === undefined ? {} : contentType(call.body)), ...call.headers },
        ...extra,
      });
    } catch (error) {
      if (call.signal?.aborted) throw aborted(call.signal);
      if (limit.signal.aborted)
        throw new DstackError('timeout', `${this.url}${call.path} did not answer within ${timeoutMs / 1000} s.`, {
          hint: 'Check that the server is well (its log), then try again.',
        });
      return this.connectionError(error);
    } finally {
      clearTimeout(timer);
    }
  }

  private connectionError(error: unknown): ConnectionError {
    const code = axios.isAxiosError(error) ? error.code : undefined;
    const neverSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code ?? '');
    const reason = code ?? (error instanceof Error ? error.message : String(error));
    return new ConnectionError(`Cannot reach the dstack server at ${this.url} (${reason}).`, neverSent, {
      cause: error,
      hint: 'Is it running? Start it with: dstack server',
    });
  }
}

export function aborted(signal: AbortSignal): DstackError {
  return new DstackError('aborted', 'The call was cancelled.', { cause: signal.reason });
}

function contentType(body: unknown): Record<string, string> {
  return body instanceof FormData ? {} : { 'Content-Type': 'application/json' };
}

function failureOf(outcome: AxiosResponse<unknown> | ConnectionError): Failure | undefined {
  if (outcome instanceof ConnectionError) return { what: 'no-connection', neverSent: outcome.neverSent };
  if (outcome.status < 400) return undefined;
  const after = Number(outcome.headers['retry-after']);
  return { what: 'status', status: outcome.status, retryAfterMs: Number.isFinite(after) ? after * 1000 : undefined };
}

function refused(call: Call, reply: AxiosResponse<unknown>, body: unknown) {
  const requestId: unknown = reply.headers['x-request-id'];
  return errorOfReply({
    method: call.method ?? 'POST',
    path: call.path,
    status: reply.status,
    body,
    requestId: typeof requestId === 'string' ? requestId : undefined,
  });
}

function parseBody(data: unknown): unknown {
  if (typeof data !== 'string') return data;
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}
