import type { GatewayApi } from '@dstack/gateway-protocol';

/** Opens the way to the program of a gateway replica. Its own class, so that tests can bring their own gateways. */
export abstract class GatewayConnector {
  /** Rejects when the way is closed; a program that does not answer shows in the first request. */
  abstract connect(replicaId: string, signal: AbortSignal): Promise<GatewayApi>;
}
