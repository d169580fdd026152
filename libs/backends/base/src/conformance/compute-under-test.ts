import type { Compute } from '../compute.js';
import type { BackendDefinition } from '../definition.js';
import type { Attempt } from '../machine.js';

/** A backend opened against a fake of its cloud that answers as the real one does. */
export interface ComputeUnderTest {
  readonly definition: Pick<BackendDefinition, 'type' | 'capabilities' | 'idempotency'>;
  readonly compute: Compute;
  /** The owner that `attempt()` writes into its attempts. */
  readonly owner: string;
  /** A fresh attempt (other token, other name) for an offer that has room. */
  attempt(): Promise<Attempt>;
  /** A fresh attempt to make so many machines by one call; absent: the backend makes no groups. */
  group?(): Promise<{ readonly attempt: Attempt; readonly size: number }>;
  /** From now on the cloud has no room for `attempt()`s. */
  exhaust(): Promise<void>;
  /** How long the fake may take from create to ready, and from terminate to gone. */
  readonly settleMs: number;
  close(): Promise<void>;
}

/** Where a network lies between us and the cloud: a create may arrive and its answer not. */
export interface ComputeOverAWire extends ComputeUnderTest {
  /** The next create reaches the cloud, but its answer gets lost. */
  loseNextCreateReply(): void;
}
