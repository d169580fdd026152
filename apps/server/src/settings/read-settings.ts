import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { IMAGE_DEFAULTS, LIMITS, RUN_SPEC_LIMITS, type ImageDefaults } from '@dstack/core';
import { parseDatabaseUrl, type DatabaseLocation } from '../persistence/database-url.js';
import { RELEASED_AGENT_URL } from '../containers/agent-url.js';
import { KNOWN_VARIABLES, UNBUILT_VARIABLES } from './known-variables.js';
import { readOidcSettings } from './oidc-settings.js';
import type { LogLevel, ServerSettings } from './settings.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A setting that cannot be meant; the message names the variable and what it takes. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

export interface SettingsResult {
  readonly settings: ServerSettings;
  readonly warnings: readonly string[];
}

/** Flags override variables; both override defaults. */
export function readSettings(env: Environment, flags: Partial<ServerSettings> = {}): SettingsResult {
  const serverDir = flags.serverDir ?? expandHome(env['DSTACK_SERVER_DIR'] ?? '~/.dstack/server');
  const host = flags.host ?? env['DSTACK_SERVER_HOST'] ?? '127.0.0.1';
  const port = flags.port ?? integer(env, 'DSTACK_SERVER_PORT', 3000);
  if (port < 0 || port > 65_535) throw new SettingsError(`DSTACK_SERVER_PORT must be from 0 to 65535, not ${port}.`);
  const settings: ServerSettings = {
    database: databaseLocation(env, serverDir),
    databasePoolSize: integer(env, 'DSTACK_DB_POOL_SIZE', 20),
    url: (env['DSTACK_SERVER_URL'] ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`).replace(/\/+$/, ''),
    adminToken: nonEmpty(env['DSTACK_SERVER_ADMIN_TOKEN']),
    oidc: readOidcSettings(env, (message) => {
      throw new SettingsError(message);
    }),
    sshProxy: sshProxy(env),
    logLevel: oneOf<LogLevel>(
      env,
      'DSTACK_SERVER_LOG_LEVEL',
      ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'],
      'INFO',
    ),
    logFormat: oneOf(env, 'DSTACK_SERVER_LOG_FORMAT', ['rich', 'standard', 'json'] as const, 'rich'),
    configDisabled: flag(env, 'DSTACK_SERVER_CONFIG_DISABLED'),
    backgroundProcessing: !flag(env, 'DSTACK_SERVER_BACKGROUND_PROCESSING_DISABLED'),
    maxOffersTried: integer(env, 'DSTACK_SERVER_MAX_OFFERS_TRIED', 25),
    codeUploadLimitBytes: integer(env, 'DSTACK_SERVER_CODE_UPLOAD_LIMIT', 2 * 1024 * 1024),
    eventsTtlSeconds: integer(env, 'DSTACK_SERVER_EVENTS_TTL_SECONDS', 2_592_000),
    prometheusMetrics: flag(env, 'DSTACK_ENABLE_PROMETHEUS_METRICS'),
    metricsRunningTtlSeconds: integer(env, 'DSTACK_SERVER_METRICS_RUNNING_TTL_SECONDS', 3_600),
    metricsFinishedTtlSeconds: integer(env, 'DSTACK_SERVER_METRICS_FINISHED_TTL_SECONDS', 604_800),
    instanceHealthTtlSeconds: integer(env, 'DSTACK_SERVER_INSTANCE_HEALTH_TTL_SECONDS', 604_800),
    logQuotaBytesPerJobHour: integer(env, 'DSTACK_SERVER_LOG_QUOTA_PER_JOB_HOUR', 50 * 1024 * 1024),
    userProjectDefaultQuota: integer(env, 'DSTACK_USER_PROJECT_DEFAULT_QUOTA', 10),
    images: images(env),
    runLimits: {
      maxProbes: integer(env, 'DSTACK_SERVER_MAX_PROBES_PER_JOB', RUN_SPEC_LIMITS.maxProbes),
      maxProbeTimeoutSeconds: integer(env, 'DSTACK_SERVER_MAX_PROBE_TIMEOUT', RUN_SPEC_LIMITS.maxProbeTimeoutSeconds),
      metricsTtlSeconds: integer(env, 'DSTACK_SERVER_METRICS_RUNNING_TTL_SECONDS', RUN_SPEC_LIMITS.metricsTtlSeconds),
      forbidDstackAccess: flag(env, 'DSTACK_FORBID_DSTACK_IN_RUNS'),
      forbidServicesWithoutGateway: flag(env, 'DSTACK_FORBID_SERVICES_WITHOUT_GATEWAY'),
    },
    serviceAnswerMs: integer(env, 'DSTACK_SERVICE_CLIENT_TIMEOUT', 60) * 1000,
    forwardedAllowIps: (env['FORWARDED_ALLOW_IPS'] ?? '127.0.0.1,::1').split(',').map((address) => address.trim()),
    servicesShareOrigin: flag(env, 'DSTACK_SERVER_SERVICES_SHARE_ORIGIN'),
    sshConnectTimeoutSeconds: integer(env, 'DSTACK_SERVER_SSH_CONNECT_TIMEOUT', 3),
    unreachableJobSeconds: integer(env, 'DSTACK_SERVER_UNREACHABLE_JOB_SECONDS', LIMITS.unreachableJobMs / 1000),
    backendEndpoints: backendEndpoints(env),
    databaseIsReplicated: env['LITESTREAM_REPLICA_URL'] !== undefined,
    inServerImage: flag(env, 'DSTACK_IMAGE'),
    agentCommand: undefined,
    agentDirectory: nonEmpty(env['DSTACK_SERVER_AGENT_DIR']),
    agentDownloadUrl: agentDownloadUrl(env),
    agentImage: nonEmpty(env['DSTACK_AGENT_IMAGE']),
    localBackend: undefined,
    ...definedOnly(flags),
    configureClient: clientConfiguration(env, flags.configureClient),
    serverDir,
    host,
    port,
  };
  return { settings, warnings: warningsAbout(env) };
}

function databaseLocation(env: Environment, serverDir: string): DatabaseLocation {
  const url = nonEmpty(env['DSTACK_DATABASE_URL']);
  return url === undefined ? { dialect: 'sqlite', path: join(serverDir, 'data', 'sqlite.db') } : parseDatabaseUrl(url);
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
  const address = nonEmpty(env['DSTACK_SERVER_SSHPROXY_ADDRESS']);
  if (address === undefined) return undefined;
  const [, hostname, port] = /^([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\])(?::(\d{1,5}))?$/.exec(address) ?? [];
  if (hostname === undefined)
    throw new SettingsError(`DSTACK_SERVER_SSHPROXY_ADDRESS must be host[:port], not "${address}".`);
  return { hostname, port: port === undefined ? null : Number(port) };
}

function images(env: Environment): ImageDefaults {
  return {
    ...IMAGE_DEFAULTS,
    baseImage: nonEmpty(env['DSTACK_DOCKER_BASE_IMAGE']) ?? IMAGE_DEFAULTS.baseImage,
    baseVersion: nonEmpty(env['DSTACK_DOCKER_BASE_IMAGE_VERSION']) ?? IMAGE_DEFAULTS.baseVersion,
    ubuntuVersion: nonEmpty(env['DSTACK_DOCKER_BASE_IMAGE_UBUNTU_VERSION']) ?? IMAGE_DEFAULTS.ubuntuVersion,
    dindImage: nonEmpty(env['DSTACK_DIND_IMAGE']) ?? IMAGE_DEFAULTS.dindImage,
    registry: nonEmpty(env['DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY']) ?? IMAGE_DEFAULTS.registry,
  };
}

/** Names outside the contract are most likely typing errors; a feature that is not there must not seem to be on. */
function warningsAbout(env: Environment): string[] {
  const given = Object.keys(env);
  return [
    ...given
      .filter((name) => name.startsWith('DSTACK_SERVER_') && !KNOWN_VARIABLES.has(name))
      .map((name) => `${name} is not a setting of this server and has no effect.`),
    ...given
      .filter((name) => UNBUILT_VARIABLES.has(name))
      .map((name) => `${name} has no effect yet: what it configures is not built in this server.`),
  ];
}

/** On whenever it exists, even empty. */
function flag(env: Environment, name: string): boolean {
  return env[name] !== undefined;
}

function integer(env: Environment, name: string, fallback: number): number {
  const text = nonEmpty(env[name]);
  if (text === undefined) return fallback;
  if (!/^-?\d+$/.test(text)) throw new SettingsError(`${name} must be a whole number, not "${text}".`);
  return Number(text);
}

function oneOf<T extends string>(env: Environment, name: string, values: readonly T[], fallback: T): T {
  const text = nonEmpty(env[name]);
  if (text === undefined) return fallback;
  const found = values.find((value) => value.toLowerCase() === text.toLowerCase());
  if (found === undefined) throw new SettingsError(`${name} must be one of ${values.join(', ')}, not "${text}".`);
  return found;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function expandHome(path: string): string {
  return resolve(path.replace(/^~(?=\/|$)/, homedir()));
}

function definedOnly<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function agentDownloadUrl(env: Environment): string {
  const url = nonEmpty(env['DSTACK_AGENT_DOWNLOAD_URL']) ?? RELEASED_AGENT_URL;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new SettingsError(
      `DSTACK_AGENT_DOWNLOAD_URL must be like https://host/agent-{version}-{arch}.tar.gz, not ${url}.`,
    );
  return url;
}

/** `lambda=http://127.0.0.1:8080,aws=http://127.0.0.1:5000` */
function backendEndpoints(env: Environment): Record<string, string> {
  const entries = (env['DSTACK_SERVER_BACKEND_ENDPOINTS'] ?? '').split(',').filter((entry) => entry.trim() !== '');
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
