import type { EntityManager } from 'typeorm';
import type { Sealing } from './sealing.js';

export type Dialect = 'sqlite' | 'postgres';
export type SqlValue = string | number | boolean | null | Buffer | undefined;

export interface ReadTx {
  readonly dialect: Dialect;
  readonly sealing: Sealing;
  /** Entities, for what is not hot. Only this manager may be used inside the transaction. */
  readonly manager: EntityManager;
  /** `?` are the placeholders on both engines. Also for `… RETURNING`. */
  query<Row extends object>(sql: string, params?: readonly SqlValue[]): Promise<Row[]>;
  /** The database's clock, in Unix milliseconds: the one clock that replicas share. In one transaction it stands still when first asked for. */
  now(): Promise<number>;
}

export interface WriteTx extends ReadTx {
  /** Returns the number of rows it changed. */
  execute(sql: string, params?: readonly SqlValue[]): Promise<number>;
  /** Runs when all else is written, in the order asked for, and may still write: what is better written once for many. */
  beforeCommit(task: () => Promise<void> | void): void;
  /** Runs once the transaction is durable; never when it rolls back. */
  afterCommit(task: () => void): void;
}
