import type { Database } from './database.js';
import type { ReadTx, WriteTx } from './transaction.js';

/** What one transaction may hold up those that wait for its end. */
const MOST_TOGETHER = 100;

interface Waiting<Tx> {
  readonly work: (tx: Tx) => Promise<unknown>;
  readonly apart: readonly string[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Begin<Tx> = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;

/**
 * Works of many rows at the same time in one transaction: what they ask for in the same moment is asked for once (`merged`), and they are
 * committed once. Whoever comes while a transaction is under way is in the next. A work that throws takes back what all have written; then
 * each is done again in a transaction of its own, so that only its own failure is told to whom it concerns. A work that finds it has
 * nothing to write says so by its result, which costs the others nothing.
 */
class Together<Tx> {
  private waiting: Waiting<Tx>[] = [];
  private isDraining = false;
  private current: Promise<void> = Promise.resolve();

  constructor(
    private readonly db: Database,
    private readonly begin: Begin<Tx>,
    /** Tells when the end is decided: what fails from then on may have been done, and is not done again. */
    private readonly onceDecided: (tx: Tx, task: () => void) => void,
  ) {}

  /** @param apart works that have one of these in common are never in the same transaction */
  run<T>(work: (tx: Tx) => Promise<T>, apart: readonly string[] = []): Promise<T> {
    this.db.requireOutside();
    return new Promise<T>((resolve, reject) => {
      this.waiting.push({ work, apart, resolve: resolve as (value: unknown) => void, reject }); // with what its own work returns
      if (!this.isDraining) void this.drain();
    });
  }

  /** Until the transaction under way is over, and those who waited for it know. */
  async settled(): Promise<void> {
    await this.current;
  }

  private async drain(): Promise<void> {
    this.isDraining = true;
    await new Promise<void>((resolve) => process.nextTick(resolve)); // those who ask in the same moment are in the first
    while (this.waiting.length > 0) {
      this.current = this.batch(this.take());
      await this.current;
    }
    this.isDraining = false;
  }

  private take(): Waiting<Tx>[] {
    const taken: Waiting<Tx>[] = [];
    const left: Waiting<Tx>[] = [];
    const keys = new Set<string>();
    for (const each of this.waiting) {
      const mayJoin = taken.length < MOST_TOGETHER && !each.apart.some((key) => keys.has(key));
      (mayJoin ? taken : left).push(each);
      for (const key of each.apart) keys.add(key);
    }
    this.waiting = left;
    return taken;
  }

  private async batch(works: readonly Waiting<Tx>[]): Promise<void> {
    let isDecided = false;
    try {
      const values = await this.begin(async (tx) => {
        const done = await Promise.allSettled(works.map(({ work }) => work(tx)));
        const failed = done.find((each) => each.status === 'rejected');
        if (failed !== undefined) throw failed.reason;
        this.onceDecided(tx, () => (isDecided = true));
        return done.map((each) => (each.status === 'fulfilled' ? each.value : undefined));
      });
      for (const [index, { resolve }] of works.entries()) resolve(values[index]);
    } catch (error) {
      if (isDecided || works.length === 1) for (const { reject } of works) reject(error);
      else for (const each of works) await this.batch([each]);
    }
  }
}

export type ReadTogether = Pick<Together<ReadTx>, 'run' | 'settled'>;
export type WriteTogether = Pick<Together<WriteTx>, 'run' | 'settled'>;

export function readTogether(db: Database): ReadTogether {
  return new Together<ReadTx>(db, (work) => db.read(work), () => undefined); // prettier-ignore
}

export function writeTogether(db: Database): WriteTogether {
  return new Together<WriteTx>(db, (work) => db.write(work), (tx, task) => tx.beforeCommit(task)); // prettier-ignore
}

/** As `writeTogether`, for intents that must survive a power cut. */
export function writeDurableTogether(db: Database): WriteTogether {
  return new Together<WriteTx>(db, (work) => db.writeDurable(work), (tx, task) => tx.beforeCommit(task)); // prettier-ignore
}
