import { setImmediate as turn } from 'node:timers/promises';
import { Mutex } from './mutex.js';
import { SqliteConnection, type SqliteOptions } from './sqlite-connection.js';

const MAX_READERS = 8;

export interface Lease {
  readonly connection: SqliteConnection;
  release(): void;
}

/**
 * Many readers, one writer. A reader has a connection of its own and sees committed data only; writers queue for the single
 * write connection. Every lease lets the event loop turn once: statements are synchronous, so a chain of them would starve it.
 */
export class SqlitePool {
  private readonly writer: SqliteConnection;
  private readonly writing = new Mutex();
  private readonly idle: SqliteConnection[] = [];
  private readonly waiting: ((connection: SqliteConnection) => void)[] = [];
  private readonly readers: SqliteConnection[] = [];

  constructor(
    private readonly path: string,
    private readonly options: SqliteOptions = {},
  ) {
    this.writer = SqliteConnection.open(path, options);
    // 16 MB of pages. Readers would not keep theirs: to them each commit is another database.
    this.writer.pragma('cache_size = -16000');
  }

  async leaseWriter(): Promise<Lease> {
    const unlock = await this.writing.acquire();
    await turn();
    return { connection: this.writer, release: unlock };
  }

  async leaseReader(): Promise<Lease> {
    const connection = await this.takeReader();
    await turn();
    return { connection, release: () => this.giveBack(connection) };
  }

  /** Waits for the write in progress, so that closing never cuts a transaction. */
  async close(): Promise<void> {
    const lease = await this.leaseWriter();
    for (const reader of this.readers) reader.close();
    this.writer.close();
    lease.release();
  }

  private takeReader(): Promise<SqliteConnection> {
    const free = this.idle.pop();
    if (free !== undefined) return Promise.resolve(free);
    if (this.readers.length < MAX_READERS) {
      const opened = SqliteConnection.open(this.path, this.options);
      this.readers.push(opened);
      return Promise.resolve(opened);
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private giveBack(connection: SqliteConnection): void {
    const next = this.waiting.shift();
    if (next !== undefined) next(connection);
    else this.idle.push(connection);
  }
}
