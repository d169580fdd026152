import type { Instant } from '../lifecycle/decision.js';

/** Why a group was not placed, and what would help: structured, so that whoever shows or acts on it need not read sentences. */
export interface Explanation {
  readonly obstacles: readonly Obstacle[];
  readonly reliefs: readonly Relief[];
  /** Fleets that would create a machine if they may have one more. */
  readonly fullFleetIds: readonly string[];
  /** The server's own machine would take it if it had room. */
  readonly thisMachineIsFull: boolean;
  /** It waits for a volume, not for a machine. */
  readonly isForVolumes?: boolean;
}

/** What a run that was refused keeps until it is placed. */
export interface PendingBecause {
  readonly refusedAt: Instant;
  readonly explanation: Explanation;
}

/**
 * `busy`: would fit if it were free. `away`: might fit, but can take no job now. `fleet`, `offers`: nothing of it helps. `mismatch`: never
 * fits as it is.
 */
export type ObstacleKind = 'busy' | 'away' | 'fleet' | 'offers' | 'mismatch';

export type ObstacleNoun = 'host' | 'instance' | 'fleet';

export interface Obstacle {
  readonly kind: ObstacleKind;
  /** Null: the text names what it is about. */
  readonly about: { readonly noun: ObstacleNoun; readonly names: SomeNames } | null;
  readonly because: string;
}

/** Capacity that a run gives back when it ends. */
export interface Relief {
  readonly runName: string;
  readonly userName: string;
  readonly instances: SomeNames;
}

/** The first few of many. */
export interface SomeNames {
  readonly first: readonly string[];
  readonly count: number;
}
