import type { EntityManager } from 'typeorm';
import type { Dialect } from './transaction.js';

/** One open transaction, as TypeORM's query runners are one. */
export interface Runner {
  readonly isTransactionActive: boolean;
  readonly manager: EntityManager;
  query(sql: string, params: unknown[], structured: true): Promise<unknown>;
  commitTransaction(): Promise<void>;
  rollbackTransaction(): Promise<void>;
}

/** What the databases do differently below `Database`. */
export interface Engine {
  readonly dialect: Dialect;
  /** Whether other servers may use it at the same time; else every lease in it is of a former life of the one that opens it. */
  readonly isShared: boolean;
  /** Where replicas tell each other what is new; null: nowhere. */
  readonly noticesUrl: string | null;
  beginRead(): Promise<Runner>;
  beginWrite(options: { readonly durable: boolean }): Promise<Runner>;
  end(runner: Runner): Promise<void>;
  /** Unix milliseconds. */
  now(runner: Runner): Promise<number>;
  close(): Promise<void>;
}
