import type { MigrationInterface, QueryRunner } from 'typeorm';
import { run } from './sql-types.js';

/** What a machine cost outlives what else is known of it. What ended is found by when it did, and who names it without a look at all. */
export class ForgottenMachines1764109000000 implements MigrationInterface {
  readonly name = 'ForgottenMachines1764109000000';

  async up(q: QueryRunner): Promise<void> {
    await (q.dataSource.options.type === 'postgres'
      ? run(q, [`ALTER TABLE priced_intervals DROP CONSTRAINT ${FOREIGN_KEY}`])
      : rebuild(q, 'varchar(36) NOT NULL'));
    await run(q, [
      'CREATE INDEX ix_instances_finished ON instances (finished_at) WHERE finished_at IS NOT NULL',
      'CREATE INDEX ix_runs_fleet ON runs (fleet_id) WHERE fleet_id IS NOT NULL',
    ]);
  }

  async down(q: QueryRunner): Promise<void> {
    await run(q, [
      'DROP INDEX ix_runs_fleet',
      'DROP INDEX ix_instances_finished',
      'DELETE FROM priced_intervals WHERE instance_id NOT IN (SELECT id FROM instances)',
    ]);
    await (q.dataSource.options.type === 'postgres'
      ? run(q, [`ALTER TABLE priced_intervals ADD CONSTRAINT ${FOREIGN_KEY} FOREIGN KEY (instance_id) ${REFERENCES}`])
      : rebuild(q, `varchar(36) NOT NULL ${REFERENCES}`));
  }
}

const FOREIGN_KEY = 'priced_intervals_instance_id_fkey';
const REFERENCES = 'REFERENCES instances (id) ON DELETE CASCADE';
const COLUMNS = 'id, instance_id, project_id, price_usd_per_hour, started_at, ended_at';

/** SQLite drops no foreign key. */
async function rebuild(q: QueryRunner, instanceId: string): Promise<void> {
  await run(q, [
    `CREATE TABLE priced_intervals_rebuilt (
      id varchar(36) NOT NULL PRIMARY KEY,
      instance_id ${instanceId},
      project_id varchar(36) NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
      price_usd_per_hour double precision NOT NULL,
      started_at bigint NOT NULL,
      ended_at bigint NULL
    )`,
    `INSERT INTO priced_intervals_rebuilt (${COLUMNS}) SELECT ${COLUMNS} FROM priced_intervals`,
    'DROP TABLE priced_intervals',
    'ALTER TABLE priced_intervals_rebuilt RENAME TO priced_intervals',
    'CREATE INDEX ix_priced_intervals_instance ON priced_intervals (instance_id)',
    'CREATE INDEX ix_priced_intervals_project ON priced_intervals (project_id, started_at)',
  ]);
}
