import type { z } from 'zod';
import { parseReply } from './parse-reply.js';
import { CatalogSourceError } from './source-error.js';
import { retryAfterMs } from './retry-after.js';

export interface SourceRequest {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  /** Keys belong here and not into the URL: messages name the URL. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What a reader of a price list needs of the network. */
export interface PriceSource {
  /** @throws {CatalogSourceError} when there is no reply of this shape */
  json<T>(request: SourceRequest, schema: z.ZodType<T>): Promise<T>;
  /** Of a text too large to be held. @throws {CatalogSourceError}, also midway */
  lines(request: SourceRequest): AsyncIterable<string>;
}

export interface SourceWorld {
  readonly fetch: (
    url: string,
    init: { method: string; headers: Record<string, string>; signal: AbortSignal; body?: string },
  ) => Promise<Response>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Of one request, however often it is tried. */
const TRIES = 6;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** Without a byte for so long a reply is given up. */
const SILENCE_MS = 60_000;

/** Public price lists over HTTP: patient with lists that ask for it, short with those that do not answer. */
export class SourceClient implements PriceSource {
  constructor(
    private readonly world: SourceWorld,
    private readonly signal: AbortSignal,
  ) {}

  async json<T>(request: SourceRequest, schema: z.ZodType<T>): Promise<T> {
    return parseReply(request.url, await this.text(request), schema);
  }

  async *lines(request: SourceRequest): AsyncGenerator<string, void, undefined> {
    const { response, watch } = await this.open(request);
    let rest = '';
    try {
      for await (const text of textOf(response, watch)) {
        const parts = (rest + text).split('\n');
        rest = parts.pop() ?? '';
        yield* parts;
      }
    } catch (error) {
      throw this.broken(request, error);
    } finally {
      watch.end();
    }
    if (rest !== '') throw new CatalogSourceError(request.url, 'the reply ends within a line');
  }

  /** A reply that breaks off is asked for again: reading it changes nothing. */
  private async text(request: SourceRequest): Promise<string> {
    for (let tries = 1; ; tries += 1) {
      const { response, watch } = await this.open(request);
      try {
        let whole = '';
        for await (const text of textOf(response, watch)) whole += text;
        return whole;
      } catch (error) {
        if (this.signal.aborted || tries === TRIES) throw this.broken(request, error);
        await this.pause(tries);
      } finally {
        watch.end();
      }
    }
  }

  private async open(request: SourceRequest): Promise<{ readonly response: Response; readonly watch: Watch }> {
    const { url, method = 'GET', headers = {}, body } = request;
    for (let tries = 1; ; tries += 1) {
      this.signal.throwIfAborted();
      const watch = new Watch(this.signal);
      let problem: CatalogSourceError;
      let waitMs: number | null = null;
      try {
        const response = await this.world.fetch(url, {
          method,
          headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
          signal: watch.signal,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        if (response.ok) return { response, watch };
        await response.body?.cancel();
        problem = new CatalogSourceError(url, `the reply is ${response.status} ${response.statusText}`.trim());
        // Throttled replies and failures pass; refusals do not.
        if (response.status !== 429 && response.status < 500) throw problem;
        waitMs = retryAfterMs(response.headers.get('retry-after'), this.world.now());
      } catch (error) {
        if (error instanceof CatalogSourceError) throw error;
        problem = this.broken(request, error);
      } finally {
        watch.pause();
      }
      if (tries === TRIES) throw problem;
      await this.pause(tries, waitMs);
    }
  }

  private pause(tries: number, askedMs: number | null = null): Promise<void> {
    const own = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)) * (0.5 + this.world.random() / 2);
    return this.world.sleep(Math.min(LONGEST_WAIT_MS, Math.max(own, askedMs ?? 0)), this.signal);
  }

  /** @throws the reason of whoever called it off */
  private broken({ url }: SourceRequest, error: unknown): CatalogSourceError {
    this.signal.throwIfAborted();
    return new CatalogSourceError(url, `the reply breaks off (${reasonOf(error)})`, null, { cause: error });
  }
}

/** Ends a request that is silent for too long. */
class Watch {
  readonly signal: AbortSignal;
  private readonly silence = new AbortController();
  private timer: NodeJS.Timeout | null = null;

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.silence.signal]);
    this.heard();
  }

  heard(): void {
    this.pause();
    this.timer = setTimeout(
      () => this.silence.abort(new Error(`no byte for ${SILENCE_MS / 1000} seconds`)),
      SILENCE_MS,
    );
  }

  /** While nothing is awaited of the network. */
  pause(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  /** Also lets go of a reply that nobody reads to its end. */
  end(): void {
    this.pause();
    this.silence.abort(new Error('the reply was given up'));
  }
}

async function* textOf(response: Response, watch: Watch): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  const body = response.body as AsyncIterable<Uint8Array> | null;
  if (body === null) return;
  watch.heard();
  for await (const bytes of body) {
    watch.pause();
    yield decoder.decode(bytes, { stream: true });
    watch.heard();
  }
  watch.pause();
}

/** Node's fetch hides what happened in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
