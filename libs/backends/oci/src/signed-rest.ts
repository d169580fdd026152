import { BackendError, type BackendEnvironment, type Call, withinCall } from '@dstack/backend-base';
import { decideRetry, retryAfterMs } from '@dstack/backend-base/rest';
import { fetchByEnvironment } from '@dstack/backend-base/proxy';
import type { z } from 'zod';
import type { ApiKey } from './api-key.js';
import { explainOci, isTransient, readRefusal } from './errors.js';
import { signedHeaders } from './sign-request.js';

/** The services of Oracle that are used, each with the version of its paths. */
const SERVICES = {
  core: { host: (region: string) => `iaas.${region}.oraclecloud.com`, version: '20160918' },
  identity: { host: (region: string) => `identity.${region}.oci.oraclecloud.com`, version: '20160918' },
  limits: { host: (region: string) => `limits.${region}.oci.oraclecloud.com`, version: '20190729' },
  marketplace: { host: (region: string) => `marketplace.${region}.oci.oraclecloud.com`, version: '20181001' },
} as const;

export interface OciRequest<T> {
  readonly service: keyof typeof SERVICES;
  readonly region: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: object;
  /** With it a request that was carried out may be sent again. At most 64 characters. */
  readonly retryToken?: string;
  readonly schema: z.ZodType<T>;
}

export interface SignedRestOptions {
  readonly apiKey: ApiKey;
  /** Instead of Oracle's hosts; its path then begins with the region. */
  readonly endpoint: string | null;
  readonly environment: Pick<BackendEnvironment, 'now' | 'random' | 'sleep'>;
}

interface Answer {
  readonly value: unknown;
  readonly nextPage: string | null;
}

const MAX_PAGES = 1_000;

/**
 * One account of Oracle's over HTTP: signatures, retries, pages, deadlines, typed failures. Oracle's own library cannot be stopped, hides
 * when to come again, and writes every refusal to the console.
 */
export class SignedRest {
  constructor(private readonly options: SignedRestOptions) {}

  /** @throws {BackendError} */
  async send<T>(request: OciRequest<T>, call: Call): Promise<T> {
    const { value } = await this.answered(request, call);
    return this.read(request, value);
  }

  /** All pages of a list; one may be empty and not the last. @throws {BackendError} */
  async sendForAll<T>(request: OciRequest<T[]>, call: Call): Promise<T[]> {
    const found: T[] = [];
    let page: string | null = null;
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      const query: OciRequest<T[]>['query'] = { ...request.query, ...(page === null ? {} : { page }) };
      const answer: Answer = await this.answered({ ...request, query }, call);
      found.push(...this.read(request, answer.value));
      if (answer.nextPage === null) return found;
      page = answer.nextPage;
    }
    throw this.unreadable(request, 'the list has no end');
  }

  private answered<T>(request: OciRequest<T>, call: Call): Promise<Answer> {
    return withinCall(call, (signal) => this.sendUntil(request, call, signal), this.options.environment.now);
  }

  private async sendUntil<T>(request: OciRequest<T>, call: Call, signal: AbortSignal): Promise<Answer> {
    const { environment } = this.options;
    for (let tries = 1; ; tries += 1) {
      signal.throwIfAborted();
      const reply = await this.once(request, signal);
      if (!(reply instanceof Error) && reply.ok) return answerOf(reply, reply.status === 204 ? '' : await reply.text());
      const refusal = reply instanceof Error ? null : readRefusal(reply.status, await reply.text());
      const afterMs = reply instanceof Error ? null : retryAfterMs(reply.headers.get('retry-after'), environment.now());
      const mayRepeat = request.method !== 'POST' || request.retryToken !== undefined;
      const waitMs = decideRetry(
        {
          status: refusal?.status ?? null,
          retryAfterMs: afterMs,
          tries,
          isRepeatable: mayRepeat && (refusal === null || isTransient(refusal)),
          msLeft: call.deadline - environment.now(),
        },
        environment.random(),
      );
      if (waitMs === null && refusal !== null)
        throw explainOci(refusal, afterMs === null ? null : environment.now() + afterMs);
      if (waitMs === null) throw noAnswer(reply);
      await environment.sleep(waitMs, signal);
    }
  }

  private async once<T>(request: OciRequest<T>, signal: AbortSignal): Promise<Response | Error> {
    const { apiKey, environment } = this.options;
    const { method, retryToken } = request;
    const url = this.urlOf(request);
    const body = request.body === undefined ? null : JSON.stringify(request.body);
    const headers = {
      ...signedHeaders({ method, url, body }, apiKey, environment.now()),
      accept: 'application/json',
      ...(retryToken === undefined ? {} : { 'opc-retry-token': retryToken }),
    };
    try {
      // A redirect would take the signature somewhere else.
      return await fetchByEnvironment(url, { method, headers, body, signal });
    } catch (error) {
      signal.throwIfAborted();
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  private urlOf<T>({ service, region, path, query = {} }: OciRequest<T>): URL {
    const { host, version } = SERVICES[service];
    const { endpoint } = this.options;
    const base = endpoint === null ? `https://${host(region)}` : `${endpoint}/${region}`;
    const url = new URL(`${base}/${version}${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.append(name, String(value));
    // A plus is a space to some only.
    url.search = url.search.replaceAll('+', '%20');
    return url;
  }

  private read<T>(request: OciRequest<T>, value: unknown): T {
    const parsed = request.schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw this.unreadable(
      request,
      issue === undefined ? '' : `at ${issue.path.join('.') || 'its top'}: ${issue.message}`,
    );
  }

  private unreadable<T>({ method, path }: OciRequest<T>, what: string): BackendError {
    return new BackendError(
      { kind: 'outage', blocks: 'account' },
      `${method} ${path}: the answer is not understood ${what}`,
    );
  }
}

function answerOf({ headers }: Response, text: string): Answer {
  return { value: text === '' ? null : parse(text), nextPage: headers.get('opc-next-page') };
}

/** What is no JSON is found to be nothing that was expected. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function noAnswer(reply: Response | Error): BackendError {
  const why = reply instanceof Error ? reply.message : `status ${reply.status}`;
  return new BackendError({ kind: 'outage', blocks: 'account' }, `no answer of Oracle: ${why}`, { cause: reply });
}
