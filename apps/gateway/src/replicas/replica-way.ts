import type { Duplex } from 'node:stream';
import type { Tunnel } from '../tunnels/tunnel.js';

/** How requests come to one replica. */
export interface ReplicaWay {
  readonly isReady: boolean;
  /** For a person; null while it is ready, and while the first try is under way. */
  readonly problem: string | null;
  /** Past this program; null: there is none, or not yet. */
  readonly tunnel: Tunnel | null;
  /** Called whenever `isReady` or `problem` changed. Gives how to stop it. */
  onChange(listener: () => void): () => void;
  /** @throws when it cannot, in words for a person: the replica has seen nothing then */
  open(): Promise<Duplex>;
}
