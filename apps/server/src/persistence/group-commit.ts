import { AsyncLocalStorage } from 'node:async_hooks';
import type { Engine, Runner } from './engine.js';

/** What one group may hold up the event loop and those that wait for its commit. */
const MOST_IN_GROUP = 32;

type Work<T> = (runner: Runner) => Promise<T>;

interface Waiting {
  readonly durable: boolean;
  readonly work: Work<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits the write transactions of a SQLite database that wait for its one writer together: a page that several of them change is written
 * once, and one wait for the disk is enough. Each is a savepoint, so that one that fails takes nothing else with it; nobody hears of
 * a success before the commit, and all hear when that fails.
 */
export class GroupCommit {
  private readonly waiting: Waiting[] = [];
  private isDraining = false;

  constructor(private readonly engine: Engine) {}

  /** @param durable the commit waits for the disk */
  run<T>(durable: boolean, work: Work<T>): Promise<T> {
    const inContext = AsyncLocalStorage.snapshot();
    return new Promise<T>((resolve, reject) => {
      this.waiting.push({
        durable,
        work: (runner) => inContext(work, runner),
        resolve: resolve as Waiting['resolve'], // with what its own work returns
        reject,
      });
      if (!this.isDraining) void this.drain();
    });
  }

  private async drain(): Promise<void> {
    this.isDraining = true;
    await Promise.resolve(); // those who ask in the same moment are in the first group
    while (this.waiting.length > 0) await this.group();
    this.isDraining = false;
  }

  private async group(): Promise<void> {
    const durable = this.waiting.slice(0, MOST_IN_GROUP).some((each) => each.durable);
    const done: (() => void)[] = [];
    const taken: Waiting[] = [];
    let runner: Runner | null = null;
    try {
      runner = await this.engine.beginWrite({ durable });
      for (let next = this.next(durable); next !== null && taken.length < MOST_IN_GROUP; next = this.next(durable)) {
        taken.push(next);
        this.waiting.shift();
        done.push(await one(runner, next));
      }
      await runner.commitTransaction();
      await this.engine.end(runner);
      for (const tell of done) tell();
    } catch (error) {
      // Nobody was told of anything; whoever was not taken yet could not begin either.
      for (const each of taken.length > 0 ? taken : this.waiting.splice(0, MOST_IN_GROUP)) each.reject(error);
      if (runner !== null) await this.giveUp(runner);
    }
  }

  private next(durable: boolean): Waiting | null {
    const [first] = this.waiting;
    return first === undefined || (first.durable && !durable) ? null : first;
  }

  private async giveUp(runner: Runner): Promise<void> {
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined); // the first error is the one to tell
    await this.engine.end(runner).catch(() => undefined);
  }
}

/** Returns how to tell its outcome. @throws when the whole transaction is broken */
async function one(runner: Runner, { work, resolve, reject }: Waiting): Promise<() => void> {
  await runner.query('SAVEPOINT one', [], true);
  let tell: () => void;
  try {
    const value = await work(runner);
    tell = () => resolve(value);
  } catch (error) {
    tell = () => reject(error);
    await runner.query('ROLLBACK TO one', [], true);
  }
  await runner.query('RELEASE one', [], true);
  return tell;
}
