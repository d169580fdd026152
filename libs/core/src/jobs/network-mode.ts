import type { NetworkMode } from '../wire/enums.js';

/** Which containers share the network of their host. */
export type JobNetworks = 'host-between-nodes' | 'host-of-whole-machines' | 'own';

export interface NetworkFacts {
  /** Of the run. */
  readonly nodes: number;
  /** Nobody else has a part of the machine. */
  readonly isWhole: boolean;
  /** The machine runs others, too, whatever the parts are: replicas of a service listen on the same port. */
  readonly isBesideOthers: boolean;
}

export function networkModeOf(networks: JobNetworks, { nodes, isWhole, isBesideOthers }: NetworkFacts): NetworkMode {
  if (!isWhole || isBesideOthers || networks === 'own') return 'bridge';
  return networks === 'host-of-whole-machines' || nodes > 1 ? 'host' : 'bridge';
}
