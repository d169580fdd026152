/** Why a group was not placed, and what would help: structured, so that whoever shows or acts on it need not read sentences. */
export interface Explanation {
  readonly obstacles: readonly Obstacle[];
  readonly reliefs: readonly Relief[];
  /** Fleets that would create a machine if they may have one more. */
  readonly fullFleetIds: readonly string[];
  /** The server's own machine would take it if it had room. */
  readonly thisMachineIsFull: boolean;
}

/**
 * `busy`: would fit if it were free. `away`: might fit, but can take no job now. `fleet`, `offers`: nothing of it helps. `mismatch`: never
 * fits as it is.
 */
export type ObstacleKind = 'busy' | 'away' | 'fleet' | 'offers' | 'mismatch';

export interface Obstacle {
  readonly kind: ObstacleKind;
  /** `host lab-0`, `instance pool-3`, `fleet pool`; null: the text names it. */
  readonly subject: { readonly noun: 'host' | 'instance' | 'fleet'; readonly name: string } | null;
  readonly because: string;
}

/** Capacity that a run gives back when it ends. */
export interface Relief {
  readonly runName: string;
  readonly userName: string;
  readonly instances: readonly string[];
}
