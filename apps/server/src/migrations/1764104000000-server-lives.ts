import type { MigrationInterface, QueryRunner } from 'typeorm';
import { run } from './sql-types.js';

/** The servers of this database that live, each with a number that rises as long as it does. */
export class ServerLives1764104000000 implements MigrationInterface {
  readonly name = 'ServerLives1764104000000';

  async up(q: QueryRunner): Promise<void> {
    await run(q, ['CREATE TABLE server_lives (holder varchar(200) NOT NULL PRIMARY KEY, beats bigint NOT NULL)']);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('DROP TABLE server_lives');
  }
}
