import type { MigrationInterface, QueryRunner } from 'typeorm';
import { run } from './sql-types.js';

/** What is kept for a time only is found by when it ended. */
export class Retention1764100900000 implements MigrationInterface {
  readonly name = 'Retention1764100900000';

  async up(q: QueryRunner): Promise<void> {
    await run(q, [
      'ALTER TABLE jobs ADD COLUMN logs_deleted_at bigint NULL',
      'CREATE INDEX ix_jobs_logs_kept ON jobs (finished_at) WHERE finished_at IS NOT NULL AND logs_deleted_at IS NULL',
      'CREATE INDEX ix_runs_finished ON runs (finished_at) WHERE finished_at IS NOT NULL',
    ]);
  }

  async down(q: QueryRunner): Promise<void> {
    await run(q, [
      'DROP INDEX ix_runs_finished',
      'DROP INDEX ix_jobs_logs_kept',
      'ALTER TABLE jobs DROP COLUMN logs_deleted_at',
    ]);
  }
}
