import type { DataSource, QueryRunner } from 'typeorm';
import type { Dialect } from './transaction.js';

/** What the two databases do differently below `Database`. */
export interface Engine {
  readonly dialect: Dialect;
  readonly dataSource: DataSource;
  beginRead(): Promise<QueryRunner>;
  beginWrite(options: { readonly durable: boolean }): Promise<QueryRunner>;
  end(runner: QueryRunner): Promise<void>;
  now(runner: QueryRunner): Promise<number>;
  close(): Promise<void>;
}
