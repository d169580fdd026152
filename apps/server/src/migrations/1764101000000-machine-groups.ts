import type { MigrationInterface, QueryRunner } from 'typeorm';
import { run } from './sql-types.js';

/** Machines that one call makes: the group is named by its first one. */
export class MachineGroups1764101000000 implements MigrationInterface {
  readonly name = 'MachineGroups1764101000000';

  async up(q: QueryRunner): Promise<void> {
    await run(q, [
      'ALTER TABLE instances ADD COLUMN group_id varchar(36) NULL',
      'ALTER TABLE instances ADD COLUMN group_rank integer NULL',
      'ALTER TABLE instances ADD COLUMN group_size integer NULL',
      'CREATE INDEX ix_instances_group ON instances (group_id) WHERE group_id IS NOT NULL',
    ]);
  }

  async down(q: QueryRunner): Promise<void> {
    await run(q, [
      'DROP INDEX ix_instances_group',
      'ALTER TABLE instances DROP COLUMN group_size',
      'ALTER TABLE instances DROP COLUMN group_rank',
      'ALTER TABLE instances DROP COLUMN group_id',
    ]);
  }
}
