import { AsyncLocalStorage } from 'node:async_hooks';
import type { Engine, Runner } from './engine.js';
import { GroupCommit } from './group-commit.js';
import { NestedTransactionError, TooManyValuesError } from './errors.js';
import { toDollarPlaceholders } from './placeholders.js';
import { UNSEALED, type Sealing } from './sealing.js';
import type { Dialect, ReadTx, SqlValue, WriteTx } from './transaction.js';

interface StructuredResult {
  readonly records?: unknown[];
  readonly affected?: number | null;
}

interface Tasks {
  readonly before: (() => Promise<void> | void)[];
  readonly after: (() => void)[];
}

/** SQLite's limit; that of Postgres is twice as high. */
const MOST_VALUES = 32_766;

/** The only way to SQL: `read` sees one consistent snapshot, `write` commits all or nothing. */
export class Database {
  private readonly open = new AsyncLocalStorage<{ active: boolean }>();

  private sealing: Sealing = UNSEALED;

  private readonly groups: GroupCommit | null;

  /** @param options.groupsCommits for an engine with one writer: those that wait for it are committed together */
  constructor(
    private readonly engine: Engine,
    { groupsCommits = false } = {},
  ) {
    this.groups = groupsCommits ? new GroupCommit(engine) : null;
  }

  /** From now on. The keys are found in the database itself, so it opens before they are there. */
  sealWith(sealing: Sealing): void {
    this.sealing = sealing;
  }

  get dialect(): Dialect {
    return this.engine.dialect;
  }

  get isShared(): boolean {
    return this.engine.isShared;
  }

  get noticesUrl(): string | null {
    return this.engine.noticesUrl;
  }

  read<T>(work: (tx: ReadTx) => Promise<T>): Promise<T> {
    return this.guarded(async () => {
      const runner = await this.engine.beginRead();
      return this.finish(runner, () => work(this.transaction(runner, { before: [], after: [] })));
    });
  }

  write<T>(work: (tx: WriteTx) => Promise<T>): Promise<T> {
    return this.commit(false, work);
  }

  /** For intents that must survive a power cut: on SQLite the commit waits for the disk. */
  writeDurable<T>(work: (tx: WriteTx) => Promise<T>): Promise<T> {
    return this.commit(true, work);
  }

  close(): Promise<void> {
    return this.engine.close();
  }

  private async commit<T>(durable: boolean, work: (tx: WriteTx) => Promise<T>): Promise<T> {
    const tasks: Tasks = { before: [], after: [] };
    const { groups } = this;
    const inTransaction = async (runner: Runner): Promise<T> => {
      const result = await work(this.transaction(runner, tasks));
      for (const task of tasks.before) await task();
      return result;
    };
    const result = await this.guarded(async () => {
      if (groups !== null) return groups.run(durable, inTransaction);
      const runner = await this.engine.beginWrite({ durable });
      return this.finish(runner, () => inTransaction(runner));
    });
    for (const task of tasks.after) task();
    return result;
  }

  /** @throws {NestedTransactionError} inside a transaction */
  requireOutside(): void {
    if (this.open.getStore()?.active === true) throw new NestedTransactionError();
  }

  /** A second transaction inside the first would wait for a lock that the first one holds: say so instead of hanging. */
  private async guarded<T>(work: () => Promise<T>): Promise<T> {
    this.requireOutside();
    const mark = { active: true };
    try {
      return await this.open.run(mark, work);
    } finally {
      mark.active = false;
    }
  }

  private async finish<T>(runner: Runner, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      await runner.commitTransaction();
      return result;
    } catch (error) {
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined); // the first error is the one to tell
      throw error;
    } finally {
      await this.engine.end(runner);
    }
  }

  private transaction(runner: Runner, tasks: Tasks): WriteTx {
    const { sealing } = this;
    const { dialect } = this.engine;
    let now: Promise<number> | undefined;
    const run = async (sql: string, params: readonly SqlValue[]): Promise<StructuredResult> => {
      if (params.length > MOST_VALUES) throw new TooManyValuesError(MOST_VALUES);
      const statement = dialect === 'postgres' ? toDollarPlaceholders(sql) : sql;
      const values = params.map((value) => value ?? null);
      return (await runner.query(statement, values, true)) as StructuredResult;
    };
    return {
      dialect,
      sealing,
      manager: runner.manager,
      query: async <Row extends object>(sql: string, params: readonly SqlValue[] = []) =>
        ((await run(sql, params)).records ?? []) as Row[],
      execute: async (sql, params = []) => {
        const { affected, records } = await run(sql, params);
        return affected ?? records?.length ?? 0;
      },
      now: () => (now ??= this.engine.now(runner)),
      beforeCommit: (task) => void tasks.before.push(task),
      afterCommit: (task) => void tasks.after.push(task),
    };
  }
}
