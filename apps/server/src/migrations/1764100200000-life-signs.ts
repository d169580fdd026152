import type { MigrationInterface, QueryRunner } from 'typeorm';
import { run } from './sql-types.js';

/** When a server last looked after its machines: an older database than that was restored. */
export class LifeSigns1764100200000 implements MigrationInterface {
  readonly name = 'LifeSigns1764100200000';

  async up(q: QueryRunner): Promise<void> {
    await run(q, ['ALTER TABLE installation ADD COLUMN last_alive_at bigint NULL']);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('ALTER TABLE installation DROP COLUMN last_alive_at');
  }
}
