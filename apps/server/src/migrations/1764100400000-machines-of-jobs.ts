import type { MigrationInterface, QueryRunner } from 'typeorm';
import { run } from './sql-types.js';

/** A job may have had several machines, one after the other: where it was tried, and what it cost, is asked by job. */
export class MachinesOfJobs1764100400000 implements MigrationInterface {
  readonly name = 'MachinesOfJobs1764100400000';

  async up(q: QueryRunner): Promise<void> {
    await run(q, [
      'CREATE INDEX ix_instances_provisioning_job ON instances (provisioning_job_id) WHERE provisioning_job_id IS NOT NULL',
      // When it was given the machine it has or had last.
      'ALTER TABLE jobs ADD COLUMN assigned_at bigint NULL',
    ]);
  }

  async down(q: QueryRunner): Promise<void> {
    await run(q, ['ALTER TABLE jobs DROP COLUMN assigned_at', 'DROP INDEX ix_instances_provisioning_job']);
  }
}
