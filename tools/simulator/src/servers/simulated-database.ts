import { type Engine, Mutex, type Runner, type SqliteConnection } from '@dstack/server/parts';
import type { WallClock } from '../time/wall-clock.js';

interface Lived {
  readonly clock: WallClock;
  readonly isShared: boolean;
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

  /** @param afterRead is told what transactions that write nothing have read */
  engine(afterRead: (sql: string, rows: readonly unknown[]) => void): Engine {
    const releases = new Map<Runner, () => void>();
    const begin = async (told: typeof afterRead | null): Promise<Runner> => {
      const release = await this.turn.acquire();
      const runner = new DirectRunner(this.connection, told);
      releases.set(runner, release);
      return runner;
    };
    return {
      dialect: 'sqlite',
      isShared: this.lived.isShared,
      noticesUrl: null,
      beginRead: () => begin(afterRead),
      beginWrite: () => begin(null),
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

class DirectRunner implements Runner {
  isTransactionActive = true;

  constructor(
    private readonly connection: SqliteConnection,
    private readonly afterRead: ((sql: string, rows: readonly unknown[]) => void) | null,
  ) {
    connection.prepare('BEGIN').run();
  }

  get manager(): never {
    throw new Error('the simulated database has no entities');
  }

  async query(sql: string, params: unknown[]): Promise<unknown> {
    const statement = this.connection.prepare(sql);
    const values = params.map((value) => (typeof value === 'boolean' ? Number(value) : value));
    if (statement.reader) {
      const records = statement.all(...values);
      this.afterRead?.(sql, records);
      return { records };
    }
    return { affected: statement.run(...values).changes };
  }

  async commitTransaction(): Promise<void> {
    this.connection.prepare('COMMIT').run();
    this.isTransactionActive = false;
  }

  async rollbackTransaction(): Promise<void> {
    this.connection.prepare('ROLLBACK').run();
    this.isTransactionActive = false;
  }
}
