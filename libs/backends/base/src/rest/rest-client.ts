import type { Agent } from 'node:https';
import type { AxiosInstance, AxiosResponse } from 'axios';
import type { z } from 'zod';
import { BackendError } from '../backend-error.js';
import { type Call, withinCall } from '../call.js';
import type { BackendEnvironment } from '../definition.js';
import type { Failure } from '../failure.js';
import { decideRetry, retryAfterMs } from './decide-retry.js';
import { Pace } from './pace.js';

/** What the cloud answered instead of a result. */
export interface RefusedReply {
  readonly status: number;
  readonly body: unknown;
}

export interface RestOptions {
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Asked before each try, where the way to the cloud is not the usual one or credentials expire. */
  readonly connection?: (
    signal: AbortSignal,
  ) => Promise<{ readonly headers: Readonly<Record<string, string>>; readonly httpsAgent: Agent }>;
  /** Never shown, whatever the cloud says. */
  readonly secrets: readonly string[];
  /** The cloud's own words, and what they mean. */
  readonly explain: (reply: RefusedReply) => { readonly failure: Failure; readonly message: string };
  /** Refusals with a status (429, 5xx) that else would be tried again, and would not be explained. */
  readonly isFinal?: (reply: RefusedReply) => boolean;
  /** Between any two requests; absent: none. */
  readonly spacingMs?: number;
  readonly environment: Pick<BackendEnvironment, 'now' | 'random' | 'sleep'>;
}

export interface RestRequest<T> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: unknown;
  readonly schema: z.ZodType<T>;
  /** Default: all but POST. */
  readonly isRepeatable?: boolean;
}

/** One account of a cloud that speaks JSON over HTTP: retries, pace, deadlines, typed failures; no redirects, no secrets in messages. */
export class RestClient {
  private readonly pace: Pace;

  private constructor(
    private readonly http: AxiosInstance,
    private readonly options: RestOptions,
  ) {
    this.pace = new Pace(options.spacingMs ?? 0, options.environment);
  }

  /** The HTTP library is loaded here and not before. */
  static async open(options: RestOptions): Promise<RestClient> {
    const { default: axios } = await import('axios');
    const { environmentAgent } = await import('../proxy/index.js');
    const agent = environmentAgent();
    const http = axios.create({
      baseURL: options.baseUrl,
      headers: options.headers,
      // A redirect would turn a POST into a GET, or take the key somewhere else.
      maxRedirects: 0,
      validateStatus: () => true,
      maxContentLength: 64 * 1024 * 1024,
      // Proxies are the agent's: axios would not tunnel.
      proxy: false,
      httpAgent: agent,
      httpsAgent: agent,
    });
    return new RestClient(http, options);
  }

  /** @throws {BackendError} */
  send<T>(request: RestRequest<T>, call: Call): Promise<T> {
    const { environment } = this.options;
    return withinCall(call, (signal) => this.sendUntil(request, call, signal), environment.now);
  }

  private async sendUntil<T>(request: RestRequest<T>, call: Call, signal: AbortSignal): Promise<T> {
    const { environment } = this.options;
    let lost = false;
    for (let tries = 1; ; tries += 1) {
      await this.pace.wait(signal);
      const answer = await this.once(request, signal);
      if (!(answer instanceof Error) && answer.status < 300) return this.read(request, answer);
      if (!(answer instanceof Error) && this.isFinal(answer)) throw afterTry(this.explained(answer), lost);
      const waitMs = decideRetry(
        {
          status: answer instanceof Error ? null : answer.status,
          retryAfterMs: answer instanceof Error ? null : retryAfterMs(answer.headers['retry-after'], environment.now()),
          tries,
          isRepeatable: request.isRepeatable ?? request.method !== 'POST',
          msLeft: call.deadline - environment.now(),
        },
        environment.random(),
      );
      if (waitMs === null) throw afterTry(this.failureOf(answer), lost);
      // What was turned away for its rate was not carried out.
      lost ||= request.method !== 'GET' && (answer instanceof Error || answer.status !== 429);
      await environment.sleep(waitMs, signal);
    }
  }

  private async once<T>(request: RestRequest<T>, signal: AbortSignal): Promise<AxiosResponse<unknown> | Error> {
    const { method, path, query, body } = request;
    // Without credentials there is no request that could be tried again.
    const connection = await this.options.connection?.(signal);
    try {
      const how = connection ?? {};
      return await this.http.request<unknown>({ method, url: path, params: query, data: body, signal, ...how });
    } catch (error) {
      signal.throwIfAborted();
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  private read<T>({ method, path, schema }: RestRequest<T>, { data }: AxiosResponse<unknown>): T {
    const parsed = schema.safeParse(data);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const where = issue === undefined ? '' : ` at ${issue.path.join('.') || 'its top'}: ${issue.message}`;
    throw this.error({ kind: 'outage', blocks: 'account' }, `${method} ${path}: the answer is not understood${where}`);
  }

  private failureOf(answer: AxiosResponse<unknown> | Error): BackendError {
    if (answer instanceof Error) {
      return this.error({ kind: 'outage', blocks: 'account' }, `no answer: ${answer.message}`);
    }
    const { status, headers } = answer;
    const afterMs = retryAfterMs(headers['retry-after'], this.options.environment.now());
    if (status === 429) {
      const retryAt = afterMs === null ? {} : { retryAt: this.options.environment.now() + afterMs };
      return this.error({ kind: 'throttled', blocks: 'account', ...retryAt }, 'too many requests');
    }
    if (status >= 500)
      return this.error({ kind: 'outage', blocks: 'account' }, `the cloud failed with status ${status}`);
    return this.explained(answer);
  }

  private isFinal({ status, data: body }: AxiosResponse<unknown>): boolean {
    return this.options.isFinal?.({ status, body }) ?? false;
  }

  private explained({ status, data: body }: AxiosResponse<unknown>): BackendError {
    const { failure, message } = this.options.explain({ status, body });
    return this.error(failure, message);
  }

  private error(failure: Failure, message: string): BackendError {
    const shown = this.options.secrets
      .filter((secret) => secret !== '')
      .reduce((text, secret) => text.replaceAll(secret, '***'), message);
    return new BackendError(failure, shown);
  }
}

function afterTry(error: BackendError, lost: boolean): BackendError {
  return lost
    ? new BackendError({ ...error.failure, afterLostTry: true }, error.message, { cause: error.cause })
    : error;
}
