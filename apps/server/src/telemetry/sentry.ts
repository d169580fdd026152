import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { SampleRates } from '../settings/telemetry-settings.js';
import type { LogLine } from './log-lines.js';
import type { OpenSpan, SpanStart, Tracer } from './traced.js';

export interface SentryOptions {
  readonly dsn: string;
  readonly traces: SampleRates;
  readonly environment: string;
  readonly version: string;
  readonly scrub: (text: string) => string;
  /** From 0 to 1, for sampling. */
  readonly chance: () => number;
  /** Unix ms. */
  readonly now: () => number;
}

export interface Sentry {
  readonly tracer: Tracer;
  readonly line: (line: LogLine) => void;
  close(): Promise<void>;
}

const SEND_MS = 10_000;
const LAST_SEND_MS = 2_000;

/** Errors that the server writes, and some of its requests and passes, told to Sentry; no bodies, headers or values. */
export async function openSentry(options: SentryOptions): Promise<Sentry> {
  const { createStackParser, createTransport, Scope } = await import('@sentry/core');
  const { nodeStackLineParser, ServerRuntimeClient } = await import('@sentry/core/server');
  const { dsn, environment, scrub, version } = options;
  const client = new ServerRuntimeClient({
    dsn,
    environment,
    release: `dstack-server@${version}`,
    serverName: hostname(),
    platform: 'node',
    runtime: { name: 'node', version: process.version },
    integrations: [],
    traceLifecycle: 'static',
    stackParser: createStackParser(nodeStackLineParser()),
    beforeSend: (event) => scrubbed(event, scrub),
    beforeSendTransaction: (event) => scrubbed(event, scrub),
    transport: (transportOptions) =>
      createTransport(transportOptions, async ({ body }) => {
        const { url, headers = {} } = transportOptions;
        const sent = typeof body === 'string' ? body : new Uint8Array(body);
        const signal = AbortSignal.timeout(SEND_MS);
        const response = await fetch(url, { method: 'POST', body: sent, headers, signal });
        await response.body?.cancel();
        const [limits, retry] = ['x-sentry-rate-limits', 'retry-after'].map((name) => response.headers.get(name));
        return {
          statusCode: response.status,
          headers: { 'x-sentry-rate-limits': limits ?? null, 'retry-after': retry ?? null },
        };
      }),
  });
  client.init();
  return {
    tracer: { begin: (start, [parent]) => beginSpan(start, parent) },
    line: ({ level, context, text, fields, error, trace }) => {
      if (level !== 'error' && level !== 'fatal') return;
      const scope = new Scope();
      scope.setTags({ context, ...fields, ...(trace === null ? {} : { trace_id: trace.traceId }) });
      if (error instanceof Error) client.captureException(error, { data: {} }, withText(scope, text));
      else client.captureMessage(text, level === 'fatal' ? 'fatal' : 'error', {}, scope);
    },
    close: async () => {
      await client.close(LAST_SEND_MS);
    },
  };

  function withText(scope: InstanceType<typeof Scope>, text: string): InstanceType<typeof Scope> {
    return scope.setExtra('line', text);
  }

  function beginSpan({ name, kind, attributes }: SpanStart, parent: OpenSpan | undefined): OpenSpan {
    const rate = kind === 'request' ? options.traces.requests : options.traces.background;
    const inner = parent === undefined ? undefined : transactions.get(parent);
    const isSampled = parent === undefined ? options.chance() < rate : inner !== undefined;
    if (!isSampled) return NOT_SAMPLED;
    const ids = { traceId: inner?.traceId ?? hex(16), spanId: hex(8) };
    const start = options.now() / 1_000;
    let data = attributes;
    const transaction = inner ?? { traceId: ids.traceId, spans: [] };
    const open: OpenSpan = {
      ids,
      add: (more) => {
        data = { ...data, ...more };
      },
      end: (error) => {
        const common = {
          trace_id: ids.traceId,
          span_id: ids.spanId,
          op: OPERATIONS[kind],
          status: error === undefined ? 'ok' : 'internal_error',
        };
        const times = { start_timestamp: start, timestamp: options.now() / 1_000 };
        if (inner !== undefined && parent !== undefined) {
          const parentId = parent.ids?.spanId;
          inner.spans.push({ ...common, ...times, ...(parentId === undefined ? {} : { parent_span_id: parentId }), description: name, data: { ...data } }); // prettier-ignore
          return;
        }
        client.captureEvent({
          type: 'transaction',
          transaction: name,
          ...times,
          spans: transaction.spans as [],
          contexts: { trace: { ...common, data: { ...data } } },
        });
      },
    };
    transactions.set(open, transaction);
    return open;
  }
}

interface Transaction {
  readonly traceId: string;
  readonly spans: object[];
}

/** To which one a span belongs. */
const transactions = new WeakMap<OpenSpan, Transaction>();

const OPERATIONS = { request: 'http.server', background: 'background', call: 'http.client' } as const;
const NOT_SAMPLED: OpenSpan = { ids: null, add: () => undefined, end: () => undefined };
const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

/** Every text of an event, however deep. */
function scrubbed<T>(event: T, scrub: (text: string) => string): T {
  return JSON.parse(
    JSON.stringify(event, (_key, value: unknown) => (typeof value === 'string' ? scrub(value) : value)),
  ) as T; // the same shape
}
