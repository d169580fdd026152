import type { MachineKind } from '../offers/machine-kind.js';
import type { Tenure } from './instance-snapshot.js';
import { LIMITS } from './limits.js';

export interface PowerOffFacts {
  readonly tenure: Tenure;
  readonly kind: MachineKind;
  /** Null: it is kept however long it is idle. */
  readonly idleLimitMs: number | null;
}

/**
 * After how long without a server and without a job a machine powers itself off; null: never. Only what dstack made and pays for by the
 * hour: hosts that somebody gave us, and the server's own, are not ours to turn off; a container cannot.
 */
export function powerOffAfterMs({ tenure, kind, idleLimitMs }: PowerOffFacts): number | null {
  if (tenure !== 'rented' || kind !== 'hosts' || idleLimitMs === null) return null;
  return idleLimitMs + LIMITS.serverLostMs;
}
