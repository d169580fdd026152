import type { GatewayService, ModelHost } from '@dstack/gateway-protocol';

export interface ServedService {
  readonly service: GatewayService;
  /** Where the requests go: a unix socket of this program. */
  readonly socketPath: string;
  /** Unix sockets that lead to its replicas past this program. All requests but WebSockets' go there, while one of them takes it. */
  readonly tunnels: readonly string[];
  /** PEM with chain and key; null: there is none yet, or none is needed. */
  readonly certificatePath: string | null;
}

export interface ServedModelHost {
  readonly modelHost: ModelHost;
  readonly certificatePath: string | null;
}

/** Where and as whom nginx runs: the same for all states. */
export interface NginxPlace {
  /** Its own directory: configuration, pid, logs, bodies of requests. */
  readonly directory: string;
  /** Of this program: access, challenges, models. */
  readonly appSocketPath: string;
  /** Whom its workers run as; null: as who starts it. */
  readonly user: string | null;
  /** Files and connections that a process may have open. */
  readonly openFiles: number;
  /** `0.0.0.0`, `[::]`. */
  readonly addresses: readonly string[];
  readonly httpPort: number;
  readonly httpsPort: number;
  /** A certificate for names that nobody serves, which nginx before 1.19.4 needs; null: handshakes for them are refused. */
  readonly strangerCertificatePath: string | null;
  /** A directory in memory for its answers of who may ask; null: it asks every time. */
  readonly keptAnswers: string | null;
  /** It can be told how long to keep connections that nobody uses. */
  readonly closesIdle: boolean;
}

export interface NginxInput extends NginxPlace {
  readonly services: readonly ServedService[];
  readonly modelHosts: readonly ServedModelHost[];
  readonly trustedProxies: readonly string[];
}
