import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { PUBLISHED_MACHINE_IMAGES } from '@dstack/backend-base';
import { IMAGE_DEFAULTS, type ImageDefaults, type JobNetworks } from '@dstack/core';
import { parseDatabaseUrl, type DatabaseLocation } from '../persistence/database-url.js';
import { readBlobStore } from './blob-settings.js';
import { readCatalogSettings } from './catalog-settings.js';
import { choice, type Environment, flag, integer, refuseNegatives, text } from './environment.js';
import { readAcmeAuthority, readProxyUrl } from './gateway-settings.js';
import { readOwnUrl, readTrustedProxies } from './way-here-settings.js';
import { readLogSink } from './log-settings.js';
import { readOidcSettings } from './oidc-settings.js';
import { SettingsError } from './settings-error.js';
import type { ServerSettings } from './settings.js';
import { readTelemetry } from './telemetry-settings.js';
import { warningsAbout } from './variables.js';

export { SettingsError };
export type { Environment };

/** As the original numbers them. */
const JOB_NETWORKS: Readonly<Record<'1' | '2' | '3', JobNetworks>> = {
  1: 'host-between-nodes',
  2: 'host-of-whole-machines',
  3: 'own',
};

export interface SettingsResult {
  readonly settings: ServerSettings;
  readonly warnings: readonly string[];
}

/** Flags override variables; both override defaults. */
export function readSettings(env: Environment, flags: Partial<ServerSettings> = {}): SettingsResult {
  const serverDir = flags.serverDir ?? expandHome(text(env, 'DSTACK_SERVER_DIR') ?? '');
  const host = flags.host ?? text(env, 'DSTACK_SERVER_HOST') ?? '';
  const port = flags.port ?? integer(env, 'DSTACK_SERVER_PORT');
  if (port < 0 || port > 65_535) throw new SettingsError(`DSTACK_SERVER_PORT must be from 0 to 65535, not ${port}.`);
  const endpoints = backendEndpoints(env);
  const settings: ServerSettings = {
    database: databaseLocation(env, serverDir),
    databasePoolSize: poolSize(env),
    url: readOwnUrl(env) ?? `http://${nameOf(host)}:${port}`,
    adminToken: text(env, 'DSTACK_SERVER_ADMIN_TOKEN'),
    oidc: readOidcSettings(env, (message) => {
      throw new SettingsError(message);
    }),
    sshProxy: sshProxy(env),
    logLevel: choice(env, 'DSTACK_SERVER_LOG_LEVEL'),
    logFormat: choice(env, 'DSTACK_SERVER_LOG_FORMAT'),
    telemetry: readTelemetry(env),
    configDisabled: flag(env, 'DSTACK_SERVER_CONFIG_DISABLED'),
    backgroundProcessing: !flag(env, 'DSTACK_SERVER_BACKGROUND_PROCESSING_DISABLED'),
    maxOffersTried: integer(env, 'DSTACK_SERVER_MAX_OFFERS_TRIED'),
    codeUploadLimitBytes: integer(env, 'DSTACK_SERVER_CODE_UPLOAD_LIMIT'),
    eventsTtlSeconds: integer(env, 'DSTACK_SERVER_EVENTS_TTL_SECONDS'),
    prometheusMetrics: flag(env, 'DSTACK_ENABLE_PROMETHEUS_METRICS'),
    metricsRunningTtlSeconds: integer(env, 'DSTACK_SERVER_METRICS_RUNNING_TTL_SECONDS'),
    metricsFinishedTtlSeconds: integer(env, 'DSTACK_SERVER_METRICS_FINISHED_TTL_SECONDS'),
    instanceHealthTtlSeconds: integer(env, 'DSTACK_SERVER_INSTANCE_HEALTH_TTL_SECONDS'),
    logSink: readLogSink(env, endpoints),
    logBufferBytes: integer(env, 'DSTACK_SERVER_LOG_BUFFER_BYTES'),
    blobStore: readBlobStore(env, endpoints),
    logQuotaBytesPerJobHour: integer(env, 'DSTACK_SERVER_LOG_QUOTA_PER_JOB_HOUR'),
    userProjectDefaultQuota: integer(env, 'DSTACK_USER_PROJECT_DEFAULT_QUOTA'),
    templatesRepo: text(env, 'DSTACK_SERVER_TEMPLATES_REPO'),
    plugins: listOf(text(env, 'DSTACK_SERVER_PLUGINS')),
    pluginServiceUri: text(env, 'DSTACK_PLUGIN_SERVICE_URI'),
    images: images(env),
    registryLogin: registryLogin(env),
    runLimits: {
      maxProbes: integer(env, 'DSTACK_SERVER_MAX_PROBES_PER_JOB'),
      maxProbeTimeoutSeconds: integer(env, 'DSTACK_SERVER_MAX_PROBE_TIMEOUT'),
      metricsTtlSeconds: integer(env, 'DSTACK_SERVER_METRICS_RUNNING_TTL_SECONDS'),
      forbidDstackAccess: flag(env, 'DSTACK_FORBID_DSTACK_IN_RUNS'),
      forbidServicesWithoutGateway: flag(env, 'DSTACK_FORBID_SERVICES_WITHOUT_GATEWAY'),
    },
    jobNetworks: JOB_NETWORKS[choice(env, 'DSTACK_SERVER_JOB_NETWORK_MODE')],
    machineImages: {
      prefix: text(env, 'DSTACK_VM_BASE_IMAGE_PREFIX') ?? '',
      version: text(env, 'DSTACK_VM_BASE_IMAGE_VERSION') ?? PUBLISHED_MACHINE_IMAGES.version,
    },
    ambientCredentials: !flag(env, 'DSTACK_DEFAULT_CREDS_DISABLED'),
    serviceMaxBodyBytes: maxBodyBytes(env),
    serviceAnswerMs: integer(env, 'DSTACK_SERVICE_CLIENT_TIMEOUT') * 1000,
    forwardedAllowIps: readTrustedProxies(listOf(text(env, 'FORWARDED_ALLOW_IPS'))),
    servicesShareOrigin: flag(env, 'DSTACK_SERVER_SERVICES_SHARE_ORIGIN'),
    proxyUrl: readProxyUrl(env),
    acme: readAcmeAuthority(env),
    gatewayHoldSeconds: integer(env, 'DSTACK_SERVER_GATEWAY_HOLD_SECONDS'),
    gatewayDirectory: text(env, 'DSTACK_SERVER_GATEWAY_DIR'),
    skipGatewayUpdate: flag(env, 'DSTACK_SKIP_GATEWAY_UPDATE'),
    sshConnectTimeoutSeconds: integer(env, 'DSTACK_SERVER_SSH_CONNECT_TIMEOUT'),
    unreachableJobSeconds: integer(env, 'DSTACK_SERVER_UNREACHABLE_JOB_SECONDS'),
    catalogs: readCatalogSettings(env),
    backendEndpoints: endpoints,
    databaseListenUrl: listenUrl(env),
    databaseIsReplicated: text(env, 'LITESTREAM_REPLICA_URL') !== undefined,
    litestream: litestream(env),
    logsTtlSeconds: integer(env, 'DSTACK_SERVER_LOGS_TTL_SECONDS'),
    runsTtlSeconds: integer(env, 'DSTACK_SERVER_RUNS_TTL_SECONDS'),
    uploadsTtlSeconds: integer(env, 'DSTACK_SERVER_UPLOADS_TTL_SECONDS'),
    endedTtlSeconds: endedTtl(env),
    inServerImage: flag(env, 'DSTACK_IMAGE'),
    agentCommand: undefined,
    agentDirectory: text(env, 'DSTACK_SERVER_AGENT_DIR'),
    agentDownloadUrl: agentDownloadUrl(env),
    agentImage: text(env, 'DSTACK_AGENT_IMAGE'),
    gatewayImage: text(env, 'DSTACK_GATEWAY_IMAGE'),
    localBackend: undefined,
    ...definedOnly(flags),
    configureClient: clientConfiguration(env, flags.configureClient),
    serverDir,
    host,
    port,
  };
  if (settings.proxyUrl !== undefined && new URL(settings.proxyUrl).host === new URL(settings.url).host)
    throw new SettingsError(`DSTACK_SERVER_PROXY_URL must be another origin than the server's own, ${settings.url}.`);
  refuseNegatives(env);
  return { settings, warnings: warningsAbout(Object.keys(env)) };
}

/** Who listens everywhere is reached on this machine too. */
function nameOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

function poolSize(env: Environment): number {
  const size = integer(env, 'DSTACK_DB_POOL_SIZE');
  if (size < 1) throw new SettingsError(`DSTACK_DB_POOL_SIZE must be 1 or more, not ${size}.`);
  return size;
}

function maxBodyBytes(env: Environment): number {
  const bytes = integer(env, 'DSTACK_DEFAULT_SERVICE_CLIENT_MAX_BODY_SIZE');
  if (bytes < 0)
    throw new SettingsError(
      `DSTACK_DEFAULT_SERVICE_CLIENT_MAX_BODY_SIZE must be 0 (any) or a number of bytes, not ${bytes}.`,
    );
  return bytes;
}

/** Calls that make machines may arrive late: who it was is remembered until then. */
const LEAST_ENDED_TTL = 3600;

function endedTtl(env: Environment): number {
  const seconds = integer(env, 'DSTACK_SERVER_ENDED_TTL_SECONDS');
  if (seconds !== 0 && seconds < LEAST_ENDED_TTL)
    throw new SettingsError(
      `DSTACK_SERVER_ENDED_TTL_SECONDS must be 0 (for ever) or at least ${LEAST_ENDED_TTL}, not ${seconds}.`,
    );
  return seconds;
}

function listOf(commaSeparated = ''): string[] {
  return commaSeparated.split(',').map((item) => item.trim()).filter((item) => item !== ''); // prettier-ignore
}

function databaseLocation(env: Environment, serverDir: string): DatabaseLocation {
  const url = text(env, 'DSTACK_DATABASE_URL');
  return url === undefined ? { dialect: 'sqlite', path: join(serverDir, 'data', 'sqlite.db') } : parseDatabaseUrl(url);
}

/** Whoever runs Litestream beside the server has nothing of it started by the server. */
function litestream(env: Environment): ServerSettings['litestream'] {
  const url = text(env, 'LITESTREAM_REPLICA_URL');
  const program = text(env, 'DSTACK_SERVER_LITESTREAM') ?? '';
  return url === undefined || program === 'external' ? undefined : { url, program };
}

function listenUrl(env: Environment): ServerSettings['databaseListenUrl'] {
  const url = text(env, 'DSTACK_DATABASE_LISTEN_URL');
  if (url === undefined) return undefined;
  if (url === 'none') return null;
  const location = parseDatabaseUrl(url, 'DSTACK_DATABASE_LISTEN_URL');
  if (location.dialect === 'postgres') return location.url;
  throw new SettingsError('DSTACK_DATABASE_LISTEN_URL must be postgresql://…, or none.');
}

/** The variables are the operator's last word, whatever a command line that starts the server says by default. */
function clientConfiguration(
  env: Environment,
  stated: ServerSettings['configureClient'] | undefined,
): ServerSettings['configureClient'] {
  if (flag(env, 'DSTACK_DO_NOT_UPDATE_DEFAULT_PROJECT')) return 'never';
  if (flag(env, 'DSTACK_UPDATE_DEFAULT_PROJECT')) return 'always';
  return stated ?? 'never';
}

function sshProxy(env: Environment): ServerSettings['sshProxy'] {
  const address = text(env, 'DSTACK_SERVER_SSHPROXY_ADDRESS');
  const isEnforced = flag(env, 'DSTACK_SERVER_SSHPROXY_ENFORCED');
  if (address === undefined && isEnforced)
    throw new SettingsError(
      'DSTACK_SERVER_SSHPROXY_ENFORCED keeps everybody out of all jobs without a proxy: set DSTACK_SERVER_SSHPROXY_ADDRESS too.',
    );
  if (address === undefined) return undefined;
  const [, hostname, port] = /^([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\])(?::(\d{1,5}))?$/.exec(address) ?? [];
  if (hostname === undefined)
    throw new SettingsError(`DSTACK_SERVER_SSHPROXY_ADDRESS must be host[:port], not "${address}".`);
  return { hostname, port: port === undefined ? null : Number(port), isEnforced };
}

function images(env: Environment): ImageDefaults {
  return {
    ...IMAGE_DEFAULTS,
    baseImage: text(env, 'DSTACK_DOCKER_BASE_IMAGE') ?? IMAGE_DEFAULTS.baseImage,
    baseVersion: text(env, 'DSTACK_DOCKER_BASE_IMAGE_VERSION') ?? IMAGE_DEFAULTS.baseVersion,
    ubuntuVersion: text(env, 'DSTACK_DOCKER_BASE_IMAGE_UBUNTU_VERSION') ?? IMAGE_DEFAULTS.ubuntuVersion,
    dindImage: text(env, 'DSTACK_DIND_IMAGE') ?? IMAGE_DEFAULTS.dindImage,
    registry: text(env, 'DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY') ?? IMAGE_DEFAULTS.registry,
  };
}

function registryLogin(env: Environment): ServerSettings['registryLogin'] {
  const registry = text(env, 'DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY');
  const username = text(env, 'DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY_USERNAME');
  const password = text(env, 'DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY_PASSWORD');
  if (username === undefined && password === undefined) return null;
  if (registry === undefined || username === undefined || password === undefined)
    throw new SettingsError(
      'DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY, …_USERNAME and …_PASSWORD belong together: set all three, or the first alone.',
    );
  return { registry, username, password };
}

function expandHome(path: string): string {
  return resolve(path.replace(/^~(?=\/|$)/, homedir()));
}

function definedOnly<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function agentDownloadUrl(env: Environment): string {
  const url = text(env, 'DSTACK_AGENT_DOWNLOAD_URL') ?? '';
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new SettingsError(
      `DSTACK_AGENT_DOWNLOAD_URL must be like https://host/agent-{version}-{arch}.tar.gz, not ${url}.`,
    );
  return url;
}

/** `lambda=http://127.0.0.1:8080,aws=http://127.0.0.1:5000` */
function backendEndpoints(env: Environment): Record<string, string> {
  const entries = (text(env, 'DSTACK_SERVER_BACKEND_ENDPOINTS') ?? '')
    .split(',')
    .filter((entry) => entry.trim() !== '');
  return Object.fromEntries(
    entries.map((entry) => {
      const [, type, url] = /^\s*([a-z][a-z0-9-]*)=(\S+)\s*$/.exec(entry) ?? [];
      if (type === undefined || url === undefined || !URL.canParse(url))
        throw new SettingsError(
          `DSTACK_SERVER_BACKEND_ENDPOINTS must be like lambda=http://host:port,…, not ${entry}.`,
        );
      return [type, url.replace(/\/+$/, '')];
    }),
  );
}
