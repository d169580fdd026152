import { type Environment, flag, number, text } from './environment.js';
import { SettingsError } from './settings-error.js';
import { secretValues } from './variables.js';

export interface SampleRates {
  /** Of requests, from 0 to 1. */
  readonly requests: number;
  /** Of work that nobody waits for. */
  readonly background: number;
}

export interface OtelSettings {
  readonly traces: SampleRates | null;
  readonly logs: boolean;
  readonly metrics: boolean;
}

export interface TelemetrySettings {
  /** Of the deployment. */
  readonly environment: string;
  /** Null: nothing of OpenTelemetry is loaded. */
  readonly otel: OtelSettings | null;
  /** Null: nothing of Sentry is loaded. */
  readonly sentry: { readonly dsn: string; readonly traces: SampleRates } | null;
  /** Values that leave the server nowhere. */
  readonly secrets: readonly string[];
}

/** @throws {SettingsError} */
export function readTelemetry(env: Environment): TelemetrySettings {
  const dsn = text(env, 'DSTACK_SENTRY_DSN');
  if (dsn !== undefined && !/^https?:\/\/\w+(:\w+)?@[^/]+(\/.*)?\/\d+$/.test(dsn))
    throw new SettingsError('DSTACK_SENTRY_DSN must be like https://KEY@sentry.example.com/1.');
  return {
    environment: text(env, 'DSTACK_SERVER_ENVIRONMENT') ?? '',
    otel: readOtel(env),
    sentry:
      dsn === undefined
        ? null
        : {
            dsn,
            traces: {
              requests: rate(env, 'DSTACK_SENTRY_TRACES_SAMPLE_RATE'),
              background: rate(env, 'DSTACK_SENTRY_TRACES_BACKGROUND_SAMPLE_RATE'),
            },
          },
    secrets: secretValues(env),
  };
}

/** What is switched on, and what has an address to go to by the variables of OpenTelemetry itself. */
function readOtel(env: Environment): OtelSettings | null {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return null;
  const goesSomewhere = (signal: string): boolean =>
    [`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`, 'OTEL_EXPORTER_OTLP_ENDPOINT'].some((name) => (env[name] ?? '') !== '') &&
    env[`OTEL_${signal}_EXPORTER`]?.toLowerCase() !== 'none';
  const exporters = (text(env, 'DSTACK_OTEL_METRICS_EXPORTERS') ?? '').split(',').map((name) => name.trim());
  const unknown = exporters.find((name) => name !== 'otlp' && name !== 'prometheus');
  if (unknown !== undefined)
    throw new SettingsError(`DSTACK_OTEL_METRICS_EXPORTERS must be otlp, prometheus or both, not "${unknown}".`);
  const traces = flag(env, 'DSTACK_OTEL_TRACES_ENABLED') || goesSomewhere('TRACES');
  const logs = flag(env, 'DSTACK_OTEL_LOGS_ENABLED') || goesSomewhere('LOGS');
  const metrics = (flag(env, 'DSTACK_OTEL_METRICS_ENABLED') || goesSomewhere('METRICS')) && exporters.includes('otlp');
  if (!traces && !logs && !metrics) return null;
  const rates = {
    requests: rate(env, 'DSTACK_OTEL_TRACES_SAMPLE_RATE'),
    background: rate(env, 'DSTACK_OTEL_TRACES_BACKGROUND_SAMPLE_RATE'),
  };
  return { traces: traces ? rates : null, logs, metrics };
}

function rate(env: Environment, name: Parameters<typeof number>[1]): number {
  const value = number(env, name);
  if (value < 0 || value > 1) throw new SettingsError(`${name} must be from 0 to 1, not ${value}.`);
  return value;
}
