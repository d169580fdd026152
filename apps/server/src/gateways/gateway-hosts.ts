import type { GatewayReplicaRecord } from './gateway-replica-record.js';

/** What is done over SSH to the machines of gateways. Its own class, so that tests can bring their own machines. */
export abstract class GatewayHosts {
  /**
   * Puts this server's version of the gateway there and starts it; does nothing to a host that runs it already. Gives its digest.
   * `onReached` is awaited before anything is put on the host.
   */
  abstract install(replica: GatewayReplicaRecord, onReached: () => Promise<void>, signal: AbortSignal): Promise<string>;
  abstract uninstall(replica: GatewayReplicaRecord, signal: AbortSignal): Promise<void>;
  /** Of what this server would install there; null: not known (yet), or what is there is left as it is. */
  abstract wantedDigest(installed: string): string | null;
}
