import type { Decision, Instant } from '@dstack/core';
import { type LogFields, logFields, withLogFields } from '../bootstrap/log-fields.js';
import { hasCode } from '../errors/has-code.js';
import type { Database } from '../persistence/database.js';
import type { World } from '../world/world.js';
import type { ReadTogether, WriteTogether } from '../persistence/together.js';
import { type Claim, LEASE_MS, releaseLease, renewLease } from './claims.js';
import { commitOwnRow, giveBack, RowLostError } from './end-lease.js';
import { holdStill, type RowState, rowState } from './hold-still.js';
import type { EffectLimiter } from './effect-limiter.js';
import type { CommitContext, Observed, Outcome, Reconciler } from './reconciler.js';

export type AnyReconciler = Reconciler<unknown, Decision<string, unknown, object>>;

export interface PassTools {
  readonly db: Database;
  readonly world: World;
  readonly limiter: EffectLimiter;
  readonly signal: AbortSignal;
  /** Of this table: what is due at the same time is observed, and committed, together. */
  readonly observing: ReadTogether;
  readonly committing: WriteTogether;
  /** Told what a row is about, as soon as that is known. */
  readonly aboutOf?: (about: LogFields) => void;
}

export type PassResult = 'committed' | 'moved' | 'lease-lost' | 'gone';

/** What moves all the time is given back: others are due as well. */
const MOST_LOOKS = 3;

/** observe → decide → act → commit, for one claimed row. Where something moved meanwhile it is looked at again under the same lease. */
export async function reconcilePass(reconciler: AnyReconciler, claim: Claim, tools: PassTools): Promise<PassResult> {
  for (let looks = 1; ; looks += 1) {
    const result = await lookOnce(reconciler, claim, { ...tools, isLast: looks === MOST_LOOKS });
    if (result !== 'look-again') return result;
  }
}

async function lookOnce(
  reconciler: AnyReconciler,
  claim: Claim,
  tools: PassTools & { readonly isLast: boolean },
): Promise<PassResult | 'look-again'> {
  const { table } = reconciler;
  const observation = await tools.observing.run(async (tx) => {
    const now = await tx.now();
    const [own, observed] = await Promise.all([rowState(tx, table, claim.id), reconciler.observe(claim.id, tx, now)]);
    return { now, own, observed };
  });
  const { own, observed, now } = observation;
  if (own === null || own.leaseToken !== claim.leaseToken) return 'lease-lost';
  if (observed === null) {
    await tools.db.write((tx) => releaseLease(tx, table, claim, null));
    return 'gone';
  }
  const about = reconciler.aboutOf?.(observed.snapshot) ?? {};
  tools.aboutOf?.(about);
  return withLogFields({ ...logFields(), ...about }, () =>
    actAndCommit(reconciler, claim, { now, own, observed }, tools),
  );
}

interface Look {
  readonly now: number;
  readonly own: RowState;
  readonly observed: Observed<unknown>;
}

async function actAndCommit(
  reconciler: AnyReconciler,
  claim: Claim,
  { now, own, observed }: Look,
  tools: PassTools & { readonly isLast: boolean },
): Promise<PassResult | 'look-again'> {
  const { table } = reconciler;
  const decision = reconciler.decide(observed.snapshot, now);
  const outcomes = await act(reconciler, claim, observed, decision, { ...tools, now });
  const context: CommitContext<unknown, typeof decision> = {
    id: claim.id,
    snapshot: observed.snapshot,
    decision,
    outcomes,
    now,
  };
  try {
    return await tools.committing.run(
      async (tx) => {
        const at = await tx.now();
        const inTime = { ...context, now: at };
        const { restsOn } = observed;
        const lockFirst = async (): Promise<readonly string[]> => reconciler.lockFirst?.(tx, inTime) ?? [];
        if (!(await holdStill(tx, table, { claim, observed: own, restsOn, lockFirst }))) {
          if (!tools.isLast) return 'look-again';
          giveBack(tx, table, claim, at);
          return 'moved';
        }
        const result = await reconciler.commit(tx, inTime);
        const dueAt = wholeMs(result?.dueAt === undefined ? decision.dueAt : result.dueAt);
        const moved =
          decision.because !== null || decision.effects.length > 0 || Object.keys(decision.changes).length > 0;
        commitOwnRow(tx, table, { claim, observed: own, dueAt, moved, now: at });
        return 'committed';
      },
      mayChange(reconciler, observed),
    );
  } catch (error) {
    if (!(error instanceof RowLostError) && !isDeadlock(error)) throw error;
    await tools.db.write(async (tx) => releaseLease(tx, table, claim, await tx.now()));
    return 'moved';
  }
}

/** The rows on which only one decision of a transaction may rest: its commit may move them under another. */
function mayChange({ onlyRests = [] }: AnyReconciler, { restsOn }: Observed<unknown>): string[] {
  return restsOn.filter(({ table }) => !onlyRests.includes(table)).map(({ table, id }) => `${table}/${id}`);
}

/** Postgres found two commits that waited for each other, and let the other one go on. */
function isDeadlock(error: unknown): boolean {
  return hasCode(error, '40P01');
}

async function act(
  reconciler: AnyReconciler,
  claim: Claim,
  observed: Observed<unknown>,
  decision: Decision<string, unknown, object>,
  tools: PassTools & { readonly now: number },
): Promise<Outcome<unknown>[]> {
  const outside = decision.effects.filter((effect) => reconciler.isOutside(effect));
  if (outside.length === 0) return [];
  const lease = keepLease(reconciler, claim, tools);
  try {
    const outcomes: Outcome<unknown>[] = [];
    for (const effect of outside) {
      const account = reconciler.accountOf(effect, observed.snapshot);
      const context = { id: claim.id, snapshot: observed.snapshot, now: tools.now, signal: lease.signal };
      try {
        const value = await tools.limiter.run(account, () => reconciler.act(effect, context));
        outcomes.push({ effect, ok: true, value });
      } catch (error) {
        outcomes.push({ effect, ok: false, error });
      }
    }
    return outcomes;
  } finally {
    lease.stop();
  }
}

/** Renews while effects run; a lease that cannot be renewed aborts them. */
function keepLease(
  reconciler: AnyReconciler,
  claim: Claim,
  { db, world, signal }: PassTools,
): { readonly signal: AbortSignal; stop(): void } {
  const lost = new AbortController();
  let isOver = false;
  let timer = world.scheduler.after(LEASE_MS / 3, renew);
  function renew(): void {
    db.write(async (tx) => renewLease(tx, reconciler.table, claim, await tx.now()))
      .then((isRenewed) => {
        if (isOver) return;
        if (!isRenewed) lost.abort(new Error('the lease of this row was lost'));
        else timer = world.scheduler.after(LEASE_MS / 3, renew);
      })
      .catch(() => {
        if (!isOver) timer = world.scheduler.after(LEASE_MS / 10, renew);
      });
  }
  return {
    signal: AbortSignal.any([signal, lost.signal]),
    stop: () => {
      isOver = true;
      timer.cancel();
    },
  };
}

/** Never earlier: a row that is due a part of a millisecond before its deadline would be looked at again and again. */
function wholeMs(instant: Instant | null): Instant | null {
  return instant === null ? null : Math.ceil(instant);
}
