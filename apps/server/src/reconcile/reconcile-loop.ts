import { type LogFields, logFields, withLogFields, withoutLogFields } from '../bootstrap/log-fields.js';
import { spanNames } from '../telemetry/span-names.js';
import { traced } from '../telemetry/traced.js';
import { readTogether, writeTogether } from '../persistence/together.js';
import type { Timer } from '../world/scheduler.js';
import { claimDue, type Claim, nextDue, releaseLease } from './claims.js';
import type { Notices } from './notices.js';
import { type AnyReconciler, type PassTools, reconcilePass } from './reconcile-pass.js';

/** A lost notice becomes this much latency, never a stuck row. */
const SWEEP_MS = 3_000;
/** A commit that kept a due row from being claimed is over soon. */
const LOCKED_MS = 10;
/** A row whose pass throws waits this long, doubling with each failure in a row. */
const FAILURE_MIN_MS = 1_000;
const FAILURE_MAX_MS = 60_000;

export interface LoopOptions extends Omit<PassTools, 'observing' | 'committing'> {
  readonly holder: string;
  readonly notices: Notices;
  readonly onError: (error: unknown, table: string, id: string | null) => void;
}

/** Claims due rows of one table as slots get free, and sleeps until a notice, the next due time or the sweep. */
export class ReconcileLoop {
  private readonly running = new Map<string, Promise<void>>();
  private readonly failures = new Map<string, number>();
  private timer: Timer | null = null;
  private claiming: Promise<void> | null = null;
  private hasNotice = false;
  private readonly stopListening: () => void;
  private isStopped = false;
  private readonly tools: PassTools;

  constructor(
    private readonly reconciler: AnyReconciler,
    private readonly options: LoopOptions,
  ) {
    const { db } = options;
    this.tools = { ...options, observing: readTogether(db), committing: writeTogether(db) };
    this.stopListening = options.notices.listen(reconciler.table, () => this.poke());
  }

  start(): void {
    this.poke();
  }

  /** Waits for the passes under way: their effects see the signal, their commits still happen. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.stopListening();
    this.timer?.cancel();
    await this.claiming;
    await Promise.allSettled(this.running.values());
  }

  private poke(): void {
    this.hasNotice = true;
    if (this.claiming !== null || this.isStopped) return;
    this.claiming = withoutLogFields(() => this.claim()).finally(() => {
      this.claiming = null;
      if (this.hasNotice) this.poke();
    });
  }

  private async claim(): Promise<void> {
    this.timer?.cancel();
    try {
      let pauseMs = SWEEP_MS;
      while (this.hasNotice && !this.isStopped) {
        // What comes due meanwhile is taken together: while much happens, one claim has many rows.
        await this.tools.committing.settled();
        this.hasNotice = false;
        pauseMs = await this.claimOnce();
      }
      this.wakeIn(Math.min(this.options.notices.sweepAfter(SWEEP_MS), pauseMs));
    } catch (error) {
      this.options.onError(error, this.reconciler.table, null);
      this.wakeIn(SWEEP_MS);
    }
  }

  /** Returns in how many milliseconds the next row comes due. */
  private async claimOnce(): Promise<number> {
    const free = this.reconciler.concurrency - this.running.size;
    if (free <= 0) return SWEEP_MS; // whoever gets done pokes
    const { db, holder } = this.options;
    const { table } = this.reconciler;
    const { claims, pauseMs } = await db.write(async (tx) => {
      const now = await tx.now();
      const filter = this.reconciler.claimFilter?.(now);
      const claimed = await claimDue(tx, { table, holder, limit: free, now, filter });
      const due = await nextDue(tx, { table, now, filter });
      return { claims: claimed, pauseMs: due === null ? SWEEP_MS : Math.max(due - now, LOCKED_MS) };
    });
    for (const claim of claims) this.launch(claim);
    return pauseMs;
  }

  private launch(claim: Claim): void {
    const fields = { [`${this.reconciler.table.replace(/s$/, '')}_id`]: claim.id };
    const pass = withLogFields(fields, () => this.pass(claim)).finally(() => {
      this.running.delete(claim.id);
      this.poke();
    });
    this.running.set(claim.id, pass);
  }

  private async pass(claim: Claim): Promise<void> {
    try {
      const { table } = this.reconciler;
      const attributes = { 'dstack.table': table, ...spanNames(logFields()) };
      await traced({ name: `reconcile ${table}`, kind: 'background', attributes }, async (span) => {
        const aboutOf = (about: LogFields) => span.add(spanNames(about));
        span.add({ 'dstack.result': await reconcilePass(this.reconciler, claim, { ...this.tools, aboutOf }) });
      });
      this.failures.delete(claim.id);
    } catch (error) {
      this.options.onError(error, this.reconciler.table, claim.id);
      await this.backOff(claim).catch((again: unknown) => this.options.onError(again, this.reconciler.table, claim.id));
    }
  }

  private async backOff(claim: Claim): Promise<void> {
    const failures = (this.failures.get(claim.id) ?? 0) + 1;
    this.failures.set(claim.id, failures);
    const delayMs = Math.min(FAILURE_MAX_MS, FAILURE_MIN_MS * 2 ** Math.min(failures - 1, 10));
    await this.options.db.write(async (tx) =>
      releaseLease(tx, this.reconciler.table, claim, (await tx.now()) + delayMs),
    );
  }

  private wakeIn(delayMs: number): void {
    if (this.isStopped) return;
    this.timer = this.options.world.scheduler.after(delayMs, () => this.poke());
  }
}
