import type { GatewayAccess } from './access.js';
import type { ChallengeAnswer, GatewayCertificate } from './certificates.js';
import type { GatewayStateInput } from './desired-state.js';
import type { GatewayStats } from './gateway-stats.js';
import type { GatewayStatus } from './gateway-status.js';
import type { LedConnection } from './led-connection.js';
import type { GatewayInfo } from './version.js';

export interface Wait {
  /** What was told last; the call returns at once when there is something newer. */
  readonly after: number;
  /** Milliseconds; the call returns with what there is after this time. 0: at once. At most 60 s. */
  readonly waitMs: number;
}

/** What the server asks of one gateway replica, over its unix socket. Every call but `info` says that the server is alive. All may be repeated. */
export interface GatewayApi {
  info(signal: AbortSignal): Promise<GatewayInfo>;
  /**
   * Returns when nginx serves what it can of it; connections to hosts and certificates come later, and are told by the status.
   * @throws {StaleRevisionError} it holds a newer one
   */
  putState(state: GatewayStateInput, signal: AbortSignal): Promise<GatewayStatus>;
  /** Holds for the next request. @throws {StaleRevisionError} */
  putAccess(access: GatewayAccess, signal: AbortSignal): Promise<void>;
  /** `after`: the `change` of the last reply, at first 0. */
  status(wait: Wait, signal: AbortSignal): Promise<GatewayStatus>;
  /** `after`: the `cursor` of the last reply, at first 0. Returns early when a request has to wait for a replica and none did before. */
  stats(wait: Wait, signal: AbortSignal): Promise<GatewayStats>;
  /** All challenges of this gateway's other replicas that are open; with this replica's own ones: all others have them, so it may go on. */
  putChallenges(answers: readonly ChallengeAnswer[], signal: AbortSignal): Promise<void>;
  /** Those it has, with their keys. */
  certificates(signal: AbortSignal): Promise<GatewayCertificate[]>;
  /** Those that are valid and last longer than what it has are taken. */
  putCertificates(certificates: readonly GatewayCertificate[], signal: AbortSignal): Promise<void>;
  /** The next connection that the gateway wants to a replica to which the server leads; waits until it wants one. */
  ledConnection(signal: AbortSignal): Promise<LedConnection>;
  /** Breaks off what is under way. */
  close(): void;
}

/** The gateway holds something newer. */
export class StaleRevisionError extends Error {
  override readonly name = 'StaleRevisionError';
  constructor(readonly currentRevision: number) {
    super(`the gateway holds revision ${currentRevision} already`);
  }
}

/** The gateway could not be reached, or the connection broke: nothing is known about what happened to the request. */
export class GatewayUnreachableError extends Error {
  override readonly name = 'GatewayUnreachableError';
}

/** The gateway answered, and said no. */
export class GatewayRequestError extends Error {
  override readonly name = 'GatewayRequestError';
  constructor(
    readonly status: number,
    readonly code: GatewayErrorBody['code'],
    message: string,
  ) {
    super(message);
  }
}

export interface GatewayErrorBody {
  readonly code: 'stale_revision' | 'bad_request' | 'not_found' | 'internal';
  readonly message: string;
  readonly currentRevision?: number;
}
