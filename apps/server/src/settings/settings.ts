import type { MachineImages } from '@dstack/backend-base';
import type { ImageDefaults, JobNetworks, RunSpecLimits, SshProxy } from '@dstack/core';
import type { BlobStoreSettings } from './blob-settings.js';
import type { LogSinkSettings } from './log-settings.js';
import type { RegistryLogin } from '../jobs/registry-login.js';
import type { OidcSettings } from './oidc-settings.js';
import type { TelemetrySettings } from './telemetry-settings.js';
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
  readonly sshProxy: (SshProxy & SshProxyRule) | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: 'rich' | 'standard' | 'json';
  readonly telemetry: TelemetrySettings;
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
  /** The service that keeps the logs of jobs; undefined: this server does. */
  readonly logSink: LogSinkSettings | undefined;
  /** So much may wait for it in the database. */
  readonly logBufferBytes: number;
  /** Where uploaded code and files are; undefined: in the database. */
  readonly blobStore: BlobStoreSettings | undefined;
  readonly userProjectDefaultQuota: number;
  /** Whose templates projects show that name no repo of their own. */
  readonly templatesRepo: string | undefined;
  /** Modules with policies, beside those of `config.yml`. */
  readonly plugins: readonly string[];
  /** The plugin service that is asked before anything is applied. */
  readonly pluginServiceUri: string | undefined;
  /** The images of jobs that name none, and the registry of those that name no registry. */
  readonly images: ImageDefaults;
  /** Null: images that name no registry are pulled by anybody. */
  readonly registryLogin: RegistryLogin | null;
  readonly runLimits: RunSpecLimits;
  readonly jobNetworks: JobNetworks;
  /** Those of clouds, where dstack publishes its own. */
  readonly machineImages: MachineImages;
  /** Backends may use what the server's machine may do. */
  readonly ambientCredentials: boolean;
  /** Of requests to services behind gateways; 0: any. */
  readonly serviceMaxBodyBytes: number;
  /** Until a replica of a service begins to answer. */
  readonly serviceAnswerMs: number;
  /** Proxies in front of this server that may say who came to them; `*`: all. */
  readonly forwardedAllowIps: readonly string[];
  /** Pages of services may act as pages of this server: they share its origin. */
  readonly servicesShareOrigin: boolean;
  /** An origin that shows the services of this server and nothing else: their pages may be pages there. Undefined: this server's own shows them. */
  readonly proxyUrl: string | undefined;
  /** Who gives gateways their certificates. */
  readonly acme: AcmeAuthority;
  /** How long gateways answer requests that need a token after they heard of this server last. */
  readonly gatewayHoldSeconds: number;
  /** Holds the gateways that are put on machines, a folder each; undefined: the installed package's. */
  readonly gatewayDirectory: string | undefined;
  /** What runs on machines of gateways is left as it was installed. */
  readonly skipGatewayUpdate: boolean;
  readonly sshConnectTimeoutSeconds: number;
  /** How long a job survives that nobody can reach its host. */
  readonly unreachableJobSeconds: number;
  readonly catalogs: CatalogSettings;
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
  /** An image for gateways in clusters, with an SSH server and nginx; undefined: one that fetches both. */
  readonly gatewayImage: string | undefined;
  /** Whether this machine runs jobs; undefined: decided by where the server listens. */
  readonly localBackend: boolean | undefined;
  /** `DSTACK_IMAGE` is set by the container image of the server. */
  readonly inServerImage: boolean;
  /** Something else (Litestream) holds a copy of the SQLite database. */
  readonly databaseIsReplicated: boolean;
  /** The server itself keeps Litestream running. */
  readonly litestream: { readonly url: string; readonly program: string } | undefined;
  /** Where replicas hear of each other: undefined: where the database is; null: nowhere. */
  readonly databaseListenUrl: string | null | undefined;
  /** How long what is left of finished runs is kept; 0: for ever. */
  readonly logsTtlSeconds: number;
  readonly runsTtlSeconds: number;
  readonly uploadsTtlSeconds: number;
  /** Of what is left of ended machines, fleets, volumes and gateways. */
  readonly endedTtlSeconds: number;
  /** Write the CLI's configuration for the project `main` after start; one that points elsewhere only when asked, or always. */
  readonly configureClient: 'never' | 'ask' | 'always';
}

/** How the prices of clouds are kept up to date. */
export interface CatalogSettings {
  /** How often a price list is read; null: never by itself. */
  readonly refreshMs: number | null;
  /** Where catalogs are published, as `npm run catalog -- refresh --out` makes them; undefined: the clouds' own lists are read. */
  readonly url: string | undefined;
  /** For Google's billing catalog, which is told to those with a key only. */
  readonly googleApiKey: string | undefined;
}

export interface AcmeAuthority {
  readonly directoryUrl: string;
  readonly email: string | null;
  /** External account binding. */
  readonly eab: { readonly keyId: string; readonly hmacKey: string } | null;
  /** PEM: whom to trust at the directory beside the usual ones. */
  readonly caCertificate: string | null;
}

export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';

/** The injection token of the settings. */
export const SETTINGS = Symbol('ServerSettings');

export interface SshProxyRule {
  /** Keys of people are put nowhere: only the proxy lets them in. */
  readonly isEnforced: boolean;
}
