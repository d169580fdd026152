import type { BreakableWay } from './breakable-way.js';
import type { FailingDisk } from './failing-disk.js';
import type { SmallDisk } from './small-disk.js';
import type { Stack } from '../stack.js';
import type { PostgresServer } from '../postgres.js';

/** Servers, their database and the hosts of their runs, all real processes. */
export interface CrashWorld {
  readonly name: string;
  /** All serve the same database; users ask the first. */
  readonly servers: readonly Stack[];
  readonly postgres: PostgresServer | undefined;
  readonly image: string | undefined;
  /** Of the first server's files and those of its agent. */
  readonly disk?: SmallDisk;
  /** Of the first server's SQLite database alone. */
  readonly databaseDisk?: FailingDisk;
  /** From the last server to Postgres; others have their own. */
  readonly wayToPostgres?: BreakableWay;
  signalAgents(signal: NodeJS.Signals): Promise<void>;
  /** What is left of jobs that have ended: processes, containers, blocks of instances in use. */
  leftovers(): Promise<string[]>;
  close(): Promise<void>;
}
