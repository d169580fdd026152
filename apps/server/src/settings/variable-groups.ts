import { IMAGE_DEFAULTS, LIMITS, RUN_SPEC_LIMITS } from '@dstack/core';
import { RELEASED_AGENT_URL } from '../containers/agent-url.js';
import type { Variable } from './variable.js';

/**
 * Every environment variable of the server, by what it is about: those of the contract, also the ones without effect here, and ours. `docs/reference/env.md`
 * is made of it (`npm run generate`).
 */
export const VARIABLE_GROUPS = {
  Server: {
    DSTACK_SERVER_DIR: {
      type: 'text',
      default: '~/.dstack/server',
      says: 'Directory of `config.yml`, the SQLite database, logs and the generated key',
    },
    DSTACK_SERVER_HOST: { type: 'text', default: '127.0.0.1', says: 'Listen address' },
    DSTACK_SERVER_PORT: { type: 'integer', default: 3000, says: 'Listen port' },
    DSTACK_SERVER_URL: {
      type: 'text',
      otherwise: 'http://<host>:<port>',
      says: 'The URL that clients use, where it is another one (a proxy in front, a load balancer)',
    },
    DSTACK_SERVER_ADMIN_TOKEN: {
      type: 'text',
      says: 'Token of the user admin, taken at the first start',
      secret: true,
    },
    DSTACK_SERVER_ENVIRONMENT: {
      type: 'text',
      default: 'dev',
      says: 'Deployment name reported to tracing tools',
    },
    DSTACK_SERVER_RELOAD_DISABLED: {
      type: 'flag',
      says: 'Turns off code reloading in development',
      state: { because: 'code is not reloaded' },
    },
    DSTACK_SERVER_BACKGROUND_PROCESSING_DISABLED: { type: 'flag', says: 'Serves API only, no background work' },
    DSTACK_SERVER_EXECUTOR_MAX_WORKERS: {
      type: 'integer',
      default: 128,
      says: 'Thread pool size for blocking calls',
      state: { because: 'calls do not block threads' },
    },
    DSTACK_SERVER_CONFIG_DISABLED: { type: 'flag', says: 'Ignores server config.yml' },
    DSTACK_UPDATE_DEFAULT_PROJECT: { type: 'flag', says: 'Updates client default project without asking' },
    DSTACK_DO_NOT_UPDATE_DEFAULT_PROJECT: { type: 'flag', says: 'Never updates client default project' },
    DSTACK_VERSION: {
      type: 'text',
      default: 'package version',
      says: 'Overrides the reported version',
      state: { because: 'the version is that of the package' },
    },
    DSTACK_RELEASE: {
      type: 'flag',
      says: 'Treats the build as a release',
      state: { because: 'the version is that of the package' },
    },
    FORWARDED_ALLOW_IPS: {
      type: 'text',
      default: '127.0.0.1,::1',
      says: 'Proxies in front of this server that may say who came to them; `*`: all',
      ours: true,
    },
    DSTACK_IMAGE: { type: 'flag', says: 'Set by the container image of the server', ours: true },
  },
  Database: {
    DSTACK_DATABASE_URL: {
      type: 'text',
      otherwise: 'SQLite in the server directory',
      says: 'The database: `postgresql://user:password@host/database`, or `sqlite:////absolute/path.db`',
      secret: true,
    },
    DSTACK_ALEMBIC_MIGRATIONS_LOCATION: {
      type: 'text',
      otherwise: 'dstack._internal.server:migrations',
      says: 'Where database migrations are found',
      state: { because: 'migrations are part of the server' },
    },
    DSTACK_DB_POOL_SIZE: { type: 'integer', default: 20, says: 'Connections to Postgres at most' },
    DSTACK_DB_MAX_OVERFLOW: {
      type: 'integer',
      default: 20,
      says: 'Extra database connections above the pool',
      state: { because: 'the pool has one size' },
    },
    DSTACK_DATABASE_LISTEN_URL: {
      type: 'text',
      says: 'Postgres without the pooler, for notices between replicas (`LISTEN`); `none` where there is no such way: rows are looked for every second',
      secret: true,
      ours: true,
    },
  },
  Litestream: {
    GOOGLE_APPLICATION_CREDENTIALS_JSON: {
      type: 'text',
      says: 'Content of a Google credentials file, for Litestream and backends with default credentials',
      secret: true,
    },
    LITESTREAM_REPLICA_URL: {
      type: 'text',
      says: 'Where Litestream copies the SQLite database to, and brings it back from where there is none: `s3://bucket/path`, `gs://bucket/path`, `abs://account@container/path`',
    },
    DSTACK_SERVER_LITESTREAM: {
      type: 'text',
      default: 'litestream',
      says: 'The program; `external` where you run it yourself',
      ours: true,
    },
    AWS_ACCESS_KEY_ID: { type: 'text', says: 'Credentials of S3 and CloudWatch' },
    AWS_SECRET_ACCESS_KEY: { type: 'text', says: 'Credentials of S3 and CloudWatch', secret: true },
    GOOGLE_APPLICATION_CREDENTIALS: { type: 'text', says: 'A Google credentials file' },
    LITESTREAM_AZURE_ACCOUNT_KEY: { type: 'text', says: 'Key of the Azure storage account', secret: true },
  },
  Observability: {
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
      state: 'not built',
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
  },
  Retention: {
    DSTACK_SERVER_METRICS_RUNNING_TTL_SECONDS: {
      type: 'integer',
      default: 3600,
      says: 'Metric retention for running jobs',
    },
    DSTACK_SERVER_METRICS_FINISHED_TTL_SECONDS: {
      type: 'integer',
      default: 604800,
      says: 'Metric retention for finished jobs',
    },
    DSTACK_SERVER_INSTANCE_HEALTH_TTL_SECONDS: {
      type: 'integer',
      default: 604800,
      says: 'Retention of instance health checks',
    },
    DSTACK_SERVER_EVENTS_TTL_SECONDS: {
      type: 'integer',
      default: 2592000,
      says: 'How long events are kept; 0: none are kept',
    },
    DSTACK_SERVER_LOGS_TTL_SECONDS: {
      type: 'integer',
      default: 0,
      says: 'How long logs of finished runs are kept; 0: as long as the run',
      ours: true,
    },
    DSTACK_SERVER_RUNS_TTL_SECONDS: {
      type: 'integer',
      default: 0,
      says: 'How long finished runs are kept, with jobs, logs, metrics and costs; 0: for ever',
      ours: true,
    },
    DSTACK_SERVER_UPLOADS_TTL_SECONDS: {
      type: 'integer',
      default: 0,
      says: 'How long uploaded code and files are kept that no unfinished run uses; 0: for ever',
      ours: true,
    },
  },
  'Logs of jobs': {
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
  },
  Uploads: {
    DSTACK_SERVER_S3_BUCKET: { type: 'text', says: 'S3 bucket for uploaded code and files' },
    DSTACK_SERVER_S3_BUCKET_REGION: { type: 'text', says: 'Region of that S3 bucket' },
    DSTACK_SERVER_BUCKET: { type: 'text', says: 'Old name of DSTACK_SERVER_S3_BUCKET' },
    DSTACK_SERVER_BUCKET_REGION: { type: 'text', says: 'Old name of DSTACK_SERVER_S3_BUCKET_REGION' },
    DSTACK_SERVER_GCS_BUCKET: { type: 'text', says: 'GCS bucket for uploaded code and files' },
    DSTACK_SERVER_CODE_UPLOAD_LIMIT: {
      type: 'integer',
      default: 2097152,
      says: 'Upload limit in bytes, 0 is unlimited',
    },
  },
  'Limits and policies': {
    DSTACK_SERVER_MAX_OFFERS_TRIED: { type: 'integer', default: 25, says: 'Offers tried per provisioning attempt' },
    DSTACK_USER_PROJECT_DEFAULT_QUOTA: { type: 'integer', default: 10, says: 'Projects a user may own' },
    DSTACK_FORBID_DSTACK_IN_RUNS: { type: 'flag', says: 'Rejects runs with dstack set to true' },
    DSTACK_SERVER_TEMPLATES_REPO: {
      type: 'text',
      says: 'Git repo with UI templates of projects that name none',
      secret: true,
    },
    DSTACK_PLUGIN_SERVICE_URI: {
      type: 'text',
      says: 'Base URL of the REST plugin service, which is asked before anything is applied',
      secret: true,
    },
    DSTACK_SERVER_PLUGINS: {
      type: 'text',
      says: 'Modules with policies, separated by commas, beside those in plugins of config.yml',
      ours: true,
    },
  },
  'Services and gateways': {
    DSTACK_SERVER_MAX_PROBES_PER_JOB: {
      type: 'integer',
      default: RUN_SPEC_LIMITS.maxProbes,
      says: 'Probe count limit in a service',
    },
    DSTACK_SERVER_MAX_PROBE_TIMEOUT: {
      type: 'integer',
      default: RUN_SPEC_LIMITS.maxProbeTimeoutSeconds,
      says: 'Probe timeout limit in seconds',
    },
    DSTACK_ACME_SERVER: { type: 'text', otherwise: "Let's Encrypt", says: 'ACME directory used by gateways' },
    DSTACK_ACME_EAB_KID: { type: 'text', says: 'ACME external account key id' },
    DSTACK_ACME_EAB_HMAC_KEY: { type: 'text', says: 'ACME external account HMAC key', secret: true },
    DSTACK_DEFAULT_SERVICE_CLIENT_MAX_BODY_SIZE: {
      type: 'integer',
      default: 67108864,
      says: 'Request body limit for services behind gateways',
      state: 'not built',
    },
    DSTACK_SERVICE_CLIENT_TIMEOUT: {
      type: 'integer',
      default: 60,
      says: 'Seconds that a replica of a service may take to begin its answer',
    },
    DSTACK_FORBID_SERVICES_WITHOUT_GATEWAY: { type: 'flag', says: 'Rejects services without a gateway' },
    DSTACK_SKIP_GATEWAY_UPDATE: { type: 'flag', says: 'Leaves gateway software as installed' },
    DSTACK_SERVER_SERVICES_SHARE_ORIGIN: {
      type: 'flag',
      says: 'Pages of services may act as pages of this server: they share its origin',
      ours: true,
    },
    DSTACK_SERVER_GATEWAY_DIR: {
      type: 'text',
      says: 'Holds the gateways that are put on machines, a folder each; else the installed one',
      ours: true,
    },
    DSTACK_SERVER_GATEWAY_HOLD_SECONDS: {
      type: 'integer',
      default: 3600,
      says: 'How long gateways answer requests that need a token after they heard of this server last',
      ours: true,
    },
    DSTACK_SERVER_PROXY_URL: {
      type: 'text',
      says: 'An origin that shows the services of this server and nothing else',
      ours: true,
    },
    DSTACK_ACME_EMAIL: { type: 'text', says: 'Whom the certificate authority writes to', ours: true },
    DSTACK_ACME_CA_FILE: {
      type: 'text',
      says: 'Certificate (PEM) to trust at the ACME directory beside the usual ones',
      ours: true,
    },
  },
  Prices: {
    DSTACK_SERVER_CATALOG_REFRESH_SECONDS: {
      type: 'integer',
      default: 7 * 24 * 3_600,
      says: 'How often price lists of clouds are read; 0: never',
      ours: true,
    },
    DSTACK_SERVER_CATALOG_URL: {
      type: 'text',
      otherwise: "the clouds' own lists",
      says: 'Where catalogs are published, as `npm run catalog -- refresh --out` makes them',
      ours: true,
    },
    DSTACK_SERVER_CATALOG_GOOGLE_API_KEY: {
      type: 'text',
      says: "For Google's billing catalog, which is told to those with a key only",
      secret: true,
      ours: true,
    },
  },
  'Signing in': {
    DSTACK_OIDC_ISSUER: {
      type: 'text',
      says: 'URL of the OpenID Connect provider that people sign in with',
      ours: true,
    },
    DSTACK_OIDC_CLIENT_ID: { type: 'text', says: 'This server at the provider', ours: true },
    DSTACK_OIDC_CLIENT_SECRET: {
      type: 'text',
      otherwise: 'a public client',
      says: 'Its secret there',
      secret: true,
      ours: true,
    },
    DSTACK_OIDC_NAME: { type: 'text', default: 'oidc', says: 'As `dstack login --provider` has it', ours: true },
    DSTACK_OIDC_SCOPES: { type: 'text', default: 'openid profile email', says: 'What is asked for', ours: true },
    DSTACK_OIDC_USERNAME_CLAIM: {
      type: 'text',
      default: 'preferred_username',
      says: 'Where the name of the user is',
      ours: true,
    },
    DSTACK_OIDC_GROUPS_CLAIM: { type: 'text', default: 'groups', says: 'Where the groups of the user are', ours: true },
    DSTACK_OIDC_ALLOWED_GROUPS: {
      type: 'text',
      otherwise: 'everybody whom the provider lets in',
      says: 'Groups whose members may sign in, separated by commas',
      ours: true,
    },
    DSTACK_OIDC_ADMIN_GROUPS: { type: 'text', says: 'Groups whose members are global admins', ours: true },
    DSTACK_OIDC_PROJECT_ROLES: { type: 'text', says: 'Roles by group: `GROUP=PROJECT:ROLE,…`', ours: true },
  },
  'Images of jobs': {
    DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY: {
      type: 'text',
      says: 'Registry of images that name none: a mirror or pull-through cache',
    },
    DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY_USERNAME: {
      type: 'text',
      says: 'User name for that registry',
    },
    DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY_PASSWORD: {
      type: 'text',
      says: 'Password for that registry',
      secret: true,
    },
    DSTACK_SERVER_JOB_NETWORK_MODE: {
      type: 'choice',
      values: ['1', '2', '3'],
      default: '2',
      says: 'Container network mode choice for jobs',
      state: 'not built',
    },
    DSTACK_DOCKER_BASE_IMAGE: { type: 'text', default: IMAGE_DEFAULTS.baseImage, says: 'Default job image name' },
    DSTACK_DOCKER_BASE_IMAGE_VERSION: {
      type: 'text',
      default: IMAGE_DEFAULTS.baseVersion,
      says: 'Default job image version',
    },
    DSTACK_DOCKER_BASE_IMAGE_UBUNTU_VERSION: {
      type: 'text',
      default: IMAGE_DEFAULTS.ubuntuVersion,
      says: 'Ubuntu part of the default image tag',
    },
    DSTACK_VM_BASE_IMAGE_VERSION: { type: 'text', default: '0.14', says: 'VM image version', state: 'not built' },
    DSTACK_VM_BASE_IMAGE_PREFIX: { type: 'text', says: 'VM image name prefix', state: 'not built' },
    DSTACK_DIND_IMAGE: {
      type: 'text',
      default: IMAGE_DEFAULTS.dindImage,
      says: 'Image for runs with docker set to true',
    },
    DSTACK_AGENT_IMAGE: {
      type: 'text',
      says: 'An image with the agent, for clusters that bring it into pods by one',
      ours: true,
    },
  },
  'Hosts and agents': {
    DSTACK_SERVER_INSTANCE_HEALTH_MIN_COLLECT_INTERVAL_SECONDS: {
      type: 'integer',
      default: 60,
      says: 'Shortest gap between health checks of an instance',
      state: 'not built',
    },
    DSTACK_SSHPROXY_API_TOKEN: {
      type: 'text',
      says: 'Token for the SSH proxy endpoint',
      secret: true,
    },
    DSTACK_SERVER_SSHPROXY_ADDRESS: { type: 'text', says: 'SSH proxy address shown to users' },
    DSTACK_SERVER_SSHPROXY_ENFORCED: {
      type: 'flag',
      says: 'Forces user SSH through the proxy: keys of people are not put into jobs and on hosts',
    },
    DSTACK_SERVER_KEEP_SHIM_TASKS: {
      type: 'flag',
      says: 'Keeps finished shim tasks for debugging',
      state: { because: 'agents are other ones' },
    },
    DSTACK_DEFAULT_CREDS_DISABLED: { type: 'flag', says: 'Forbids ambient cloud credentials', state: 'not built' },
    DSTACK_SERVER_SSH_POOL_DISABLED: {
      type: 'flag',
      says: 'Stops reuse of SSH connections to instances',
      state: { because: 'a connection costs 86 KB, not a process' },
    },
    DSTACK_SERVER_SSH_CONNECT_TIMEOUT: { type: 'integer', default: 3, says: 'SSH connect timeout in seconds' },
    DSTACK_RUNNER_VERSION: {
      type: 'text',
      says: 'Runner version to install',
      state: { because: 'agents are other ones' },
    },
    DSTACK_RUNNER_VERSION_URL: {
      type: 'text',
      says: 'URL answering the runner version',
      state: { because: 'agents are other ones' },
    },
    DSTACK_RUNNER_DOWNLOAD_URL: {
      type: 'text',
      says: 'Runner binary URL; server expands {version} and {arch}',
      state: { because: 'see DSTACK_AGENT_DOWNLOAD_URL' },
    },
    DSTACK_SHIM_VERSION: { type: 'text', says: 'Shim version to install', state: { because: 'agents are other ones' } },
    DSTACK_SHIM_VERSION_URL: {
      type: 'text',
      says: 'URL answering the shim version',
      state: { because: 'agents are other ones' },
    },
    DSTACK_SHIM_DOWNLOAD_URL: {
      type: 'text',
      says: 'Shim binary URL with {version} and {arch}',
      state: { because: 'see DSTACK_AGENT_DOWNLOAD_URL' },
    },
    DSTACK_USE_LATEST_FROM_BRANCH: {
      type: 'flag',
      says: 'Installs agents from the latest branch build',
      state: { because: 'agents are part of a release' },
    },
    DSTACK_SERVER_AGENT_DIR: {
      type: 'text',
      says: 'Holds the agents that are put on hosts, a folder each; else those that are installed',
      ours: true,
    },
    DSTACK_AGENT_DOWNLOAD_URL: {
      type: 'text',
      default: RELEASED_AGENT_URL,
      says: 'Where containers fetch the agent: a URL with `{version}`, `{arch}` and `{sha256}`',
      ours: true,
    },
    DSTACK_SERVER_BACKEND_ENDPOINTS: {
      type: 'text',
      says: "Other addresses than the clouds' own, for tests: `lambda=http://host:port,…`",
      ours: true,
    },
    DSTACK_SERVER_UNREACHABLE_JOB_SECONDS: {
      type: 'integer',
      default: LIMITS.unreachableJobMs / 1000,
      says: 'How long a job lives on whose host nobody can reach',
      ours: true,
    },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Variable>>>>;
