import type { Variable } from '../variable.js';

export const OBSERVABILITY = {
  DSTACK_SERVER_ROOT_LOG_LEVEL: {
    type: 'text',
    default: 'ERROR',
    says: 'Root logger level',
    state: { because: 'there is one logger' },
  },
  DSTACK_SERVER_LOG_LEVEL: {
    type: 'choice',
    values: ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'],
    default: 'INFO',
    says: 'The least important lines that the server writes',
  },
  DSTACK_SERVER_LOG_FORMAT: {
    type: 'choice',
    values: ['rich', 'standard', 'json'],
    default: 'rich',
    says: 'How the server writes its log: for people, plain, or a JSON object per line',
  },
  DSTACK_SERVER_UVICORN_LOG_LEVEL: {
    type: 'text',
    default: 'ERROR',
    says: 'HTTP server logger level',
    state: { because: 'there is one logger' },
  },
  DSTACK_SENTRY_DSN: { type: 'text', says: 'Turns on Sentry with this DSN', secret: true },
  DSTACK_SENTRY_TRACES_SAMPLE_RATE: {
    type: 'number',
    default: 0.1,
    says: 'Sentry sampling of API requests',
  },
  DSTACK_SENTRY_TRACES_BACKGROUND_SAMPLE_RATE: {
    type: 'number',
    default: 0.01,
    says: 'Sentry sampling of background tasks',
  },
  DSTACK_SENTRY_PROFILES_SAMPLE_RATE: {
    type: 'number',
    default: 0,
    says: 'Sentry profile sampling',
    state: { because: 'use node --cpu-prof' },
  },
  DSTACK_OTEL_TRACES_ENABLED: { type: 'flag', says: 'Turns on OpenTelemetry traces' },
  DSTACK_OTEL_TRACES_SAMPLE_RATE: {
    type: 'number',
    default: 1.0,
    says: 'OpenTelemetry sampling of API requests',
  },
  DSTACK_OTEL_TRACES_BACKGROUND_SAMPLE_RATE: {
    type: 'number',
    default: 1.0,
    says: 'OpenTelemetry sampling of background tasks',
  },
  DSTACK_OTEL_LOGS_ENABLED: { type: 'flag', says: 'Turns on OpenTelemetry log export' },
  DSTACK_OTEL_METRICS_ENABLED: { type: 'flag', says: 'Turns on OpenTelemetry metrics' },
  DSTACK_OTEL_METRICS_EXPORTERS: {
    type: 'text',
    default: 'otlp',
    says: 'Comma list of metric exporters',
  },
  'OTEL_*': { type: 'text', says: 'Standard exporter settings, passed to the SDK' },
  DSTACK_SQL_ECHO_ENABLED: {
    type: 'flag',
    says: 'Prints SQL statements',
    state: { because: 'statements are not printed' },
  },
  DSTACK_SERVER_PROFILING_ENABLED: {
    type: 'flag',
    says: 'Profiles requests having the profile query parameter',
    state: { because: 'use node --cpu-prof' },
  },
  DSTACK_ENABLE_PROMETHEUS_METRICS: { type: 'flag', says: 'Turns on the /metrics endpoint' },
  DSTACK_PROMETHEUS_AUTH_TOKEN: { type: 'text', says: 'Bearer token demanded by /metrics', secret: true },
  GRPC_VERBOSITY: {
    type: 'text',
    default: 'ERROR',
    says: 'GRPC log level, set when unset',
    state: { because: 'there is no gRPC' },
  },
} as const satisfies Readonly<Record<string, Variable>>;
