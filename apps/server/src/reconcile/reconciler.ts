import type { Decision, Instant } from '@dstack/core';
import type { LogFields } from '../bootstrap/log-fields.js';
import type { ReadTx, SqlValue, WriteTx } from '../persistence/transaction.js';
import type { ReconciledTable, RestedOn } from './reconciled-table.js';

export interface Observed<Snapshot> {
  readonly snapshot: Snapshot;
  /** Other rows the decision rests on; the engine adds the row itself. */
  readonly restsOn: readonly RestedOn[];
}

/** What became of one effect. An error is an outcome too: it is recorded, and the next decision sees it. */
export type Outcome<Effect> =
  | { readonly effect: Effect; readonly ok: true; readonly value: unknown }
  | { readonly effect: Effect; readonly ok: false; readonly error: unknown };

export interface ActContext<Snapshot> {
  readonly id: string;
  readonly snapshot: Snapshot;
  readonly now: Instant;
  /** Aborted when the lease is lost or the server stops. */
  readonly signal: AbortSignal;
}

export interface CommitContext<Snapshot, D> {
  readonly id: string;
  readonly snapshot: Snapshot;
  readonly decision: D;
  readonly outcomes: readonly Outcome<unknown>[];
  readonly now: Instant;
}

export interface CommitResult {
  /** Replaces the decision's own due time, when an outcome calls for an earlier look. */
  readonly dueAt?: Instant | null;
}

/**
 * What the engine must know about one kind of resource. `observe` and `commit` are SQL, `act` is the outside world,
 * `decide` is pure. Everything may be repeated after a crash at any `await`.
 */
export interface Reconciler<Snapshot, D extends Decision<string, unknown, object>> {
  readonly table: ReconciledTable;
  /** Rows at work at the same time. */
  readonly concurrency: number;
  /** Of the tables its decisions rest on, those whose rows none of its commits changes: many may be committed together that rest on the same one. */
  readonly onlyRests?: readonly ReconciledTable[];
  /** A condition on the row `t` that must hold to be claimed by this server. */
  claimFilter?(now: Instant): { readonly sql: string; readonly params: readonly SqlValue[] };
  observe(id: string, tx: ReadTx, now: Instant): Promise<Observed<Snapshot> | null>;
  /** What else lines of the log about it name: ids of its run, its job, its machine. */
  aboutOf?(snapshot: Snapshot): LogFields;
  decide(snapshot: Snapshot, now: Instant): D;
  /** The effects that leave the database; the others are written by `commit`. */
  isOutside(effect: D['effects'][number]): boolean;
  /** Effects of one account share its limit, so that a hung cloud stops only itself. */
  accountOf(effect: D['effects'][number], snapshot: Snapshot): string;
  act(effect: D['effects'][number], context: ActContext<Snapshot>): Promise<unknown>;
  /**
   * Locks that come before those of the rows, where commits of several servers would wait for each other without them. Returns the other rows
   * of its table that the commit may wake.
   */
  lockFirst?(tx: WriteTx, context: CommitContext<Snapshot, D>): Promise<readonly string[]>;
  /** Runs at the same time as those of other rows, in one transaction with them. */
  commit(tx: WriteTx, context: CommitContext<Snapshot, D>): Promise<CommitResult | void>;
}
