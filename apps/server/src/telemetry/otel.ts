import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import type { OtelSettings, SampleRates } from '../settings/telemetry-settings.js';
import type { LogLine } from './log-lines.js';
import type { Count } from './telemetry-counts.js';
import { spanNames } from './span-names.js';
import type { OpenSpan, SpanStart, Tracer } from './traced.js';

const NAME = 'dstack-server';

export interface OtelOptions {
  readonly settings: OtelSettings;
  readonly environment: string;
  readonly version: string;
  readonly scrub: (text: string) => string;
}

export interface Otel {
  readonly tracer: Tracer | null;
  readonly line: ((line: LogLine) => void) | null;
  readonly measure: ((of: SpanStart['kind'], labels: Count['labels'], seconds: number) => void) | null;
  close(): Promise<void>;
}

/**
 * The signals that are on, sent by OTLP over HTTP (protobuf) to where OpenTelemetry's own variables say. What cannot be sent is dropped by the
 * SDK once its queue is full; the server does not wait for it.
 */
export async function openOtel(options: OtelOptions): Promise<Otel> {
  const { defaultResource, resourceFromAttributes, detectResources, envDetector } =
    await import('@opentelemetry/resources');
  const resource = defaultResource()
    .merge(
      resourceFromAttributes({
        'service.name': NAME,
        'service.version': options.version,
        'deployment.environment.name': options.environment,
      }),
    )
    .merge(detectResources({ detectors: [envDetector] }));
  const { settings } = options;
  const traces = settings.traces === null ? null : await openTraces(settings.traces, resource, options.scrub);
  const logs = settings.logs ? await openLogs(resource, options.scrub) : null;
  const metrics = settings.metrics ? await openMetrics(resource) : null;
  return {
    tracer: traces?.tracer ?? null,
    line: logs?.line ?? null,
    measure: metrics?.measure ?? null,
    close: async () => {
      await Promise.allSettled([traces?.close(), logs?.close(), metrics?.close()]);
    },
  };
}

type Resource = ReturnType<typeof import('@opentelemetry/resources').defaultResource>;

async function openTraces(rates: SampleRates, resource: Resource, scrub: (text: string) => string) {
  const { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } =
    await import('@opentelemetry/sdk-trace');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
  const [requests, background] = [rates.requests, rates.background].map((rate) => new TraceIdRatioBasedSampler(rate));
  const root = {
    shouldSample: (context: Context, traceId: string, _name: string, kind: SpanKind) =>
      (kind === SpanKind.SERVER ? requests : background)?.shouldSample(context, traceId) ?? { decision: 0 },
    toString: () => `requests ${rates.requests}, background ${rates.background}`,
  };
  const provider = new TracerProvider({
    resource,
    sampler: new ParentBasedSampler({ root }),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  const sdk = provider.getTracer(NAME);
  const kinds = { request: SpanKind.SERVER, background: SpanKind.INTERNAL, call: SpanKind.CLIENT } as const;
  const contexts = new WeakMap<OpenSpan, Context>();
  const tracer: Tracer = {
    begin: ({ name, kind, attributes, traceparent }, [parent]) => {
      const context = (parent && contexts.get(parent)) ?? remoteContext(traceparent);
      const span = sdk.startSpan(name, { kind: kinds[kind], attributes: { ...attributes } }, context);
      const { traceId, spanId } = span.spanContext();
      const open: OpenSpan = {
        ids: { traceId, spanId },
        add: (more) => void span.setAttributes({ ...more }),
        end: (error) => {
          if (error !== undefined) {
            const message = scrub(error instanceof Error ? error.message : JSON.stringify(error));
            span.setStatus({ code: SpanStatusCode.ERROR, message });
            span.recordException({ name: error instanceof Error ? error.name : 'Error', message });
          }
          span.end();
        },
      };
      contexts.set(open, trace.setSpan(ROOT_CONTEXT, span));
      return open;
    },
  };
  return { tracer, close: () => provider.shutdown() };
}

/** As W3C Trace Context writes it. */
function remoteContext(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags ?? '0', 16) & TraceFlags.SAMPLED;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

async function openLogs(resource: Resource, scrub: (text: string) => string) {
  const { BatchLogRecordProcessor, LoggerProvider } = await import('@opentelemetry/sdk-logs');
  const { OTLPLogExporter } = await import('@opentelemetry/exporter-logs-otlp-proto');
  const processors = [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter() })];
  const provider = new LoggerProvider({ resource, processors });
  const logger = provider.getLogger(NAME);
  const severities = { fatal: 21, error: 17, warn: 13, log: 9, debug: 5, verbose: 1 } as const;
  const line = ({ level, context, text, fields, error, trace: ids }: LogLine): void => {
    const attributes: Attributes = {
      'dstack.context': context,
      ...spanNames(fields),
      ...(error instanceof Error
        ? {
            'exception.type': error.name,
            'exception.message': scrub(error.message),
            'exception.stacktrace': scrub(error.stack ?? ''),
          }
        : {}),
    };
    logger.emit({
      severityNumber: severities[level],
      severityText: level === 'log' ? 'INFO' : level.toUpperCase(),
      body: scrub(text),
      attributes,
      ...(ids === null
        ? {}
        : { context: trace.setSpanContext(ROOT_CONTEXT, { ...ids, traceFlags: TraceFlags.SAMPLED }) }),
    });
  };
  return { line, close: () => provider.shutdown() };
}

async function openMetrics(resource: Resource) {
  const { MeterProvider, PeriodicExportingMetricReader } = await import('@opentelemetry/sdk-metrics');
  const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-proto');
  const exportIntervalMillis = Number(process.env['OTEL_METRIC_EXPORT_INTERVAL'] ?? 60_000);
  const exportTimeoutMillis = Math.min(exportIntervalMillis, 30_000);
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    exportIntervalMillis,
    exportTimeoutMillis,
  });
  const provider = new MeterProvider({ resource, readers: [reader] });
  const meter = provider.getMeter(NAME);
  const histogram = (name: string) => meter.createHistogram(name, { unit: 's' });
  const durations = {
    request: histogram('http.server.request.duration'),
    background: histogram('dstack.reconcile.duration'),
    call: histogram('dstack.cloud.call.duration'),
  };
  const measure = (of: SpanStart['kind'], labels: Count['labels'], seconds: number): void =>
    durations[of].record(seconds, of === 'request' ? httpNames(labels) : spanNames(labels));
  return { measure, close: () => provider.shutdown() };
}

/** As OpenTelemetry's conventions name them. */
function httpNames({ method = '', route = '', status = '' }: Count['labels']): Attributes {
  return { 'http.request.method': method, 'http.route': route, 'http.response.status_code': Number(status) };
}
