import type { Variable } from '../variable.js';

export const SERVER = {
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
    says: 'Proxies in front of this server that may say who came to them: addresses, ranges like `10.0.0.0/8`; `*`: all',
    ours: true,
  },
  DSTACK_IMAGE: { type: 'flag', says: 'Set by the container image of the server', ours: true },
} as const satisfies Readonly<Record<string, Variable>>;
