import type { ImageDefaults, RunSpecLimits, SshProxy } from '@dstack/core';
import type { OidcSettings } from './oidc-settings.js';
import type { DatabaseLocation } from '../persistence/database-url.js';

/** All that the environment and the command line decide, read once. */
export interface ServerSettings {
  /** Holds `config.yml`, the SQLite database, logs and the generated key. */
  readonly serverDir: string;
  readonly database: DatabaseLocation;
  readonly databasePoolSize: number;
  readonly host: string;
  readonly port: number;
  /** The base URL clients use; may differ from host and port behind a proxy. */
  readonly url: string;
  readonly adminToken: string | undefined;
  /** Undefined: people have tokens and nothing else. */
  readonly oidc: OidcSettings | undefined;
  /** In front of the jobs, for people who reach no hosts; undefined: none. */
  readonly sshProxy: SshProxy | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: 'rich' | 'standard' | 'json';
  readonly configDisabled: boolean;
  readonly backgroundProcessing: boolean;
  readonly maxOffersTried: number;
  readonly codeUploadLimitBytes: number;
  readonly eventsTtlSeconds: number;
  /** Whether `/metrics` answers. */
  readonly prometheusMetrics: boolean;
  readonly metricsRunningTtlSeconds: number;
  readonly metricsFinishedTtlSeconds: number;
  readonly instanceHealthTtlSeconds: number;
  readonly logQuotaBytesPerJobHour: number;
  readonly userProjectDefaultQuota: number;
  /** The images of jobs that name none, and the registry of those that name no registry. */
  readonly images: ImageDefaults;
  readonly runLimits: RunSpecLimits;
  /** Until a replica of a service begins to answer. */
  readonly serviceAnswerMs: number;
  /** Proxies in front of this server that may say who came to them; `*`: all. */
  readonly forwardedAllowIps: readonly string[];
  /** Pages of services may act as pages of this server: they share its origin. */
  readonly servicesShareOrigin: boolean;
  readonly sshConnectTimeoutSeconds: number;
  /** How long a job survives that nobody can reach its host. */
  readonly unreachableJobSeconds: number;
  /** By backend type: another address than the cloud's own API. */
  readonly backendEndpoints: Readonly<Record<string, string>>;
  /** How the agent of local instances is started; undefined: the installed package's. */
  readonly agentCommand: readonly string[] | undefined;
  /** Holds the agents that are put on hosts, a folder each; undefined: the installed package's. */
  readonly agentDirectory: string | undefined;
  /** Where containers fetch the agent: a URL with `{version}`, `{arch}` and `{sha256}`. */
  readonly agentDownloadUrl: string;
  /** An image with the agent, for clusters that bring it into pods by one; undefined: they fetch it. */
  readonly agentImage: string | undefined;
  /** Whether this machine runs jobs; undefined: decided by where the server listens. */
  readonly localBackend: boolean | undefined;
  /** `DSTACK_IMAGE` is set by the container image of the server. */
  readonly inServerImage: boolean;
  /** Something else (Litestream) holds a copy of the SQLite database. */
  readonly databaseIsReplicated: boolean;
  /** Write the CLI's configuration for the project `main` after start; one that points elsewhere only when asked, or always. */
  readonly configureClient: 'never' | 'ask' | 'always';
}

export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';

/** The injection token of the settings. */
export const SETTINGS = Symbol('ServerSettings');
