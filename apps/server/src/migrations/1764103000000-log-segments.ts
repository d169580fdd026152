import type { MigrationInterface, QueryRunner } from 'typeorm';
import { run } from './sql-types.js';

/** Logs that are kept elsewhere: what has been shipped, in which pieces, and which of it is still here. */
export class LogSegments1764103000000 implements MigrationInterface {
  readonly name = 'LogSegments1764103000000';

  async up(q: QueryRunner): Promise<void> {
    await run(q, [
      'ALTER TABLE log_streams ADD COLUMN shipped_offset bigint NOT NULL DEFAULT 0',
      'ALTER TABLE log_streams ADD COLUMN unshipped boolean NOT NULL DEFAULT false',
      'CREATE INDEX ix_log_streams_unshipped ON log_streams (job_id) WHERE unshipped = true',
      `CREATE TABLE log_segments (
        job_id varchar(36) NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        stream varchar(20) NOT NULL,
        start_offset bigint NOT NULL,
        end_offset bigint NOT NULL,
        first_at bigint NOT NULL,
        last_at bigint NOT NULL,
        events integer NOT NULL DEFAULT 0,
        shipped_at bigint NULL,
        is_kept boolean NOT NULL DEFAULT true,
        PRIMARY KEY (job_id, stream, start_offset)
      )`,
      'CREATE INDEX ix_log_segments_kept ON log_segments (shipped_at) WHERE is_kept = true AND shipped_at IS NOT NULL',
    ]);
  }

  async down(q: QueryRunner): Promise<void> {
    await run(q, [
      'DROP TABLE log_segments',
      'DROP INDEX ix_log_streams_unshipped',
      'ALTER TABLE log_streams DROP COLUMN unshipped',
      'ALTER TABLE log_streams DROP COLUMN shipped_offset',
    ]);
  }
}
