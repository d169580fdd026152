import type { MigrationInterface, QueryRunner } from 'typeorm';
import { blobType, run } from './sql-types.js';

/** Catalogs of clouds as their price lists were read last, and how reading went. */
export class Catalogs1764100600000 implements MigrationInterface {
  readonly name = 'Catalogs1764100600000';

  async up(q: QueryRunner): Promise<void> {
    await run(q, [
      `CREATE TABLE catalogs (
        cloud varchar(30) NOT NULL PRIMARY KEY,
        file ${blobType(q)} NULL,
        read_at bigint NULL,
        tried_at bigint NULL,
        failures integer NOT NULL,
        error text NULL,
        notes text NULL,
        etag varchar(300) NULL,
        wanted varchar(10) NULL
      )`,
    ]);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('DROP TABLE catalogs');
  }
}
