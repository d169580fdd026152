import { AsyncLocalStorage } from 'node:async_hooks';
import type { TelemetryCounts } from './telemetry-counts.js';

export type SpanKind = 'request' | 'background' | 'call';

export type SpanAttributes = Readonly<Record<string, string | number>>;

export interface SpanStart {
  readonly name: string;
  /** `request`: somebody waits for an answer; `call`: this server asks somebody else. */
  readonly kind: SpanKind;
  readonly attributes: SpanAttributes;
  /** Of who asked, as it came (W3C Trace Context). */
  readonly traceparent?: string | undefined;
}

export interface OpenSpan {
  readonly ids: { readonly traceId: string; readonly spanId: string } | null;
  /** More that is known by now. */
  add(attributes: SpanAttributes): void;
  /** @param error what it failed with; undefined: it went well */
  end(error?: unknown): void;
}

/** Who records spans: OpenTelemetry, Sentry. */
export interface Tracer {
  begin(start: SpanStart, parents: readonly OpenSpan[]): OpenSpan;
}

interface Running {
  readonly spans: readonly (OpenSpan | null)[];
}

const current = new AsyncLocalStorage<Running>();
let tracers: readonly Tracer[] = [];
let counts: TelemetryCounts | null = null;

/** For this process, from now on. */
export function recordSpans(by: readonly Tracer[], counted: TelemetryCounts | null = null): void {
  tracers = by;
  counts = counted;
}

export interface Began {
  add(attributes: SpanAttributes): void;
  end(error?: unknown): void;
  /** What it does is part of the span. */
  within<T>(work: () => T): T;
}

/** A span that somebody ends. */
export function begin(start: SpanStart): Began {
  const parents = current.getStore()?.spans ?? [];
  const spans = tracers.map((tracer, index) => {
    const parent = parents[index];
    return tracer.begin(start, parent === null || parent === undefined ? [] : [parent]);
  });
  let attributes = start.attributes;
  const ended = counts?.begin();
  return {
    add: (more) => {
      attributes = { ...attributes, ...more };
      for (const span of spans) span.add(more);
    },
    end: (error) => {
      ended?.(start, attributes, error);
      for (const span of spans) span.end(error);
    },
    within: (work) => (tracers.length === 0 ? work() : current.run({ spans }, work)),
  };
}

/** A span as long as the work takes. */
export async function traced<T>(start: SpanStart, work: (span: Began) => Promise<T>): Promise<T> {
  if (tracers.length === 0 && counts === null) return work(NOT_RECORDED);
  const span = begin(start);
  try {
    const result = await span.within(() => work(span));
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}

/** What follows is no part of the span that caused it. */
export function untraced<T>(work: () => T): T {
  return current.exit(work);
}

/** Of the span that is running, for lines of the log. */
export function currentIds(): { readonly traceId: string; readonly spanId: string } | null {
  for (const span of current.getStore()?.spans ?? []) if (span?.ids != null) return span.ids;
  return null;
}

const NOT_RECORDED: Began = { add: () => undefined, end: () => undefined, within: (work) => work() };
