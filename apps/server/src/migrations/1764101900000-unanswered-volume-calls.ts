import type { MigrationInterface, QueryRunner } from 'typeorm';
import { run } from './sql-types.js';

/** A call to attach or detach that nobody heard the answer of may still be under way when the next one is answered. */
export class UnansweredVolumeCalls1764101900000 implements MigrationInterface {
  readonly name = 'UnansweredVolumeCalls1764101900000';

  async up(q: QueryRunner): Promise<void> {
    await run(q, ['ALTER TABLE volume_attachments ADD COLUMN unanswered_at bigint NULL']);
  }

  async down(q: QueryRunner): Promise<void> {
    await run(q, ['ALTER TABLE volume_attachments DROP COLUMN unanswered_at']);
  }
}
