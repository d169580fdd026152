import type { Variable } from '../variable.js';

export const LOGS_OF_JOBS = {
  DSTACK_SERVER_CLOUDWATCH_LOG_GROUP: {
    type: 'text',
    says: 'Stores job logs in this CloudWatch group',
  },
  DSTACK_SERVER_CLOUDWATCH_LOG_REGION: { type: 'text', says: 'Region of the CloudWatch group' },
  DSTACK_SERVER_GCP_LOGGING_PROJECT: {
    type: 'text',
    says: 'Stores job logs in this GCP project',
  },
  DSTACK_SERVER_FLUENTBIT_HOST: { type: 'text', says: 'Ships job logs to this Fluent Bit host' },
  DSTACK_SERVER_FLUENTBIT_PORT: { type: 'integer', default: 24224, says: 'Fluent Bit port' },
  DSTACK_SERVER_FLUENTBIT_PROTOCOL: {
    type: 'choice',
    values: ['forward', 'http'],
    default: 'forward',
    says: 'Fluent Bit protocol',
  },
  DSTACK_SERVER_FLUENTBIT_TAG_PREFIX: {
    type: 'text',
    default: 'dstack',
    says: 'Fluent Bit tag prefix',
  },
  DSTACK_SERVER_ELASTICSEARCH_HOST: {
    type: 'text',
    says: 'Reads shipped logs back from this host',
  },
  DSTACK_SERVER_ELASTICSEARCH_INDEX: {
    type: 'text',
    default: 'dstack-logs',
    says: 'Index with shipped logs',
  },
  DSTACK_SERVER_ELASTICSEARCH_API_KEY: {
    type: 'text',
    says: 'Key for the log index',
    secret: true,
  },
  DSTACK_SERVER_LOG_BUFFER_BYTES: {
    type: 'integer',
    default: 1_073_741_824,
    says: 'Logs that may wait in the database for the service that keeps them; more waits on the hosts',
    ours: true,
  },
  DSTACK_SERVER_LOG_QUOTA_PER_JOB_HOUR: {
    type: 'integer',
    default: 52428800,
    says: 'Log bytes per job and hour, 0 is unlimited',
  },
} as const satisfies Readonly<Record<string, Variable>>;
