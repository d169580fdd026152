import { choice, type Environment, integer, text } from './environment.js';
import { SettingsError } from './settings-error.js';

export type LogSinkSettings =
  | { readonly type: 'cloudwatch'; readonly group: string; readonly region: string | undefined }
  | { readonly type: 'gcp'; readonly project: string; readonly endpoint: string | undefined }
  | {
      readonly type: 'fluentbit';
      readonly host: string;
      readonly port: number;
      readonly protocol: 'forward' | 'http';
      readonly tagPrefix: string;
      /** Null: shipped logs are not read back. */
      readonly elasticsearch: {
        readonly host: string;
        readonly index: string;
        readonly apiKey: string | undefined;
      } | null;
    };

/** Where logs of jobs are kept; the first that is set. Undefined: here. @throws {SettingsError} */
export function readLogSink(
  env: Environment,
  endpoints: Readonly<Record<string, string>>,
): LogSinkSettings | undefined {
  const group = text(env, 'DSTACK_SERVER_CLOUDWATCH_LOG_GROUP');
  if (group !== undefined)
    return { type: 'cloudwatch', group, region: text(env, 'DSTACK_SERVER_CLOUDWATCH_LOG_REGION') };
  const project = text(env, 'DSTACK_SERVER_GCP_LOGGING_PROJECT');
  if (project !== undefined) return { type: 'gcp', project, endpoint: endpoints['gcp-logging'] };
  const host = text(env, 'DSTACK_SERVER_FLUENTBIT_HOST');
  if (host === undefined) return undefined;
  return {
    type: 'fluentbit',
    host,
    port: integer(env, 'DSTACK_SERVER_FLUENTBIT_PORT'),
    protocol: choice(env, 'DSTACK_SERVER_FLUENTBIT_PROTOCOL'),
    tagPrefix: text(env, 'DSTACK_SERVER_FLUENTBIT_TAG_PREFIX') ?? '',
    elasticsearch: elasticsearch(env),
  };
}

function elasticsearch(env: Environment): Extract<LogSinkSettings, { type: 'fluentbit' }>['elasticsearch'] {
  const host = text(env, 'DSTACK_SERVER_ELASTICSEARCH_HOST');
  if (host === undefined) return null;
  if (!URL.canParse(/^https?:\/\//.test(host) ? host : `http://${host}`))
    throw new SettingsError('DSTACK_SERVER_ELASTICSEARCH_HOST must be like https://elasticsearch.example.com:9200.');
  return {
    host,
    index: text(env, 'DSTACK_SERVER_ELASTICSEARCH_INDEX') ?? '',
    apiKey: text(env, 'DSTACK_SERVER_ELASTICSEARCH_API_KEY'),
  };
}
