import { type Engine, Mutex, type Runner, type SqliteConnection } from '@dstack/server/parts';
import type { WallClock } from '../time/wall-clock.js';

interface Lived {
  readonly clock: WallClock;
  readonly isShared: boolean;
}

interface Watchers {
  /** Is told what transactions that write nothing have read. */
  readonly afterRead: (sql: string, rows: readonly unknown[]) => void;
  /** Of a transaction that has changed something. */
  readonly beforeCommit: () => void;
}

/**
 * The database that all servers of a story use: it outlives them, and its transactions follow one another – which is one of the orders that
 * snapshots of a real one allow. Kept in memory; SQL and schema are the server's own.
 */
export class SimulatedDatabase {
  private readonly turn = new Mutex();

  constructor(
    readonly connection: SqliteConnection,
    /** Replicas share its clock; one server alone takes its own for it. */
    private readonly lived: Lived,
  ) {}

  get clock(): WallClock {
    return this.lived.clock;
  }

  get isShared(): boolean {
    return this.lived.isShared;
  }

  /** How many transactions have changed something. */
  changes = 0;

  engine({ afterRead, beforeCommit }: Watchers): Engine {
    const releases = new Map<Runner, () => void>();
    const begin = async (watchers: Partial<Watchers>): Promise<Runner> => {
      const release = await this.turn.acquire();
      const runner = new DirectRunner(this.connection, watchers);
      releases.set(runner, release);
      return runner;
    };
    const noteChange = (): void => {
      beforeCommit();
      this.changes += 1;
    };
    return {
      dialect: 'sqlite',
      isShared: this.lived.isShared,
      noticesUrl: null,
      beginRead: () => begin({ afterRead }),
      beginWrite: () => begin({ beforeCommit: noteChange }),
      end: async (runner) => {
        if (runner.isTransactionActive) await runner.rollbackTransaction();
        releases.get(runner)?.();
        releases.delete(runner);
      },
      now: () => Promise.resolve(this.lived.clock.now()),
      close: () => Promise.resolve(),
    };
  }
}

/** Nothing of what is simulated asks for one. */
const NO_ENTITIES = new Proxy({} as Runner['manager'], {
  get: () => {
    throw new Error('the simulated database has no entities');
  },
});

/** Has its turn to itself: what only reads needs no transaction of the database, and most claims find nothing. */
class DirectRunner implements Runner {
  readonly manager = NO_ENTITIES;
  isTransactionActive = true;
  private hasBegun = false;
  private hasChanged = false;

  constructor(
    private readonly connection: SqliteConnection,
    private readonly watchers: Partial<Watchers>,
  ) {}

  async query(sql: string, params: unknown[]): Promise<unknown> {
    const statement = this.connection.prepare(sql);
    const values = params.map((value) => (typeof value === 'boolean' ? Number(value) : value));
    const isSelect = sql.startsWith('SELECT');
    if (!isSelect && !this.hasBegun) this.begin();
    if (statement.reader) {
      const records = statement.all(...values);
      if (!isSelect && records.length > 0) this.hasChanged = true;
      this.watchers.afterRead?.(sql, records);
      return { records };
    }
    const { changes } = statement.run(...values);
    if (changes > 0) this.hasChanged = true;
    return { affected: changes };
  }

  async commitTransaction(): Promise<void> {
    if (this.hasChanged) this.watchers.beforeCommit?.();
    this.end('COMMIT');
  }

  async rollbackTransaction(): Promise<void> {
    this.end('ROLLBACK');
  }

  private begin(): void {
    this.connection.prepare('BEGIN').run();
    this.hasBegun = true;
  }

  private end(how: 'COMMIT' | 'ROLLBACK'): void {
    if (this.hasBegun) this.connection.prepare(how).run();
    this.isTransactionActive = false;
  }
}
