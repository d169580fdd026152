import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dueIndex, RECONCILED_COLUMNS, run } from './sql-types.js';

/** Network volumes, and the machines they are at. */
export class Volumes1764100000000 implements MigrationInterface {
  readonly name = 'Volumes1764100000000';

  async up(q: QueryRunner): Promise<void> {
    await run(q, STATEMENTS);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('DROP TABLE volume_attachments');
    await q.query('DROP TABLE volumes');
  }
}

const STATEMENTS = [
  `CREATE TABLE volumes (
    id varchar(36) NOT NULL PRIMARY KEY,
    project_id varchar(36) NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id varchar(36) NOT NULL REFERENCES users (id),
    name varchar(100) NOT NULL,
    status varchar(30) NOT NULL,
    status_changed_at bigint NOT NULL,
    status_message text NULL,
    configuration text NOT NULL,
    backend_type varchar(30) NOT NULL,
    region varchar(100) NOT NULL,
    external boolean NOT NULL,
    cloud_name varchar(200) NULL,
    token varchar(100) NULL,
    asked_at bigint NULL,
    cloud text NULL,
    trouble text NULL,
    created_at bigint NOT NULL,
    active_at bigint NULL,
    last_used_at bigint NULL,
    deletion_requested_at bigint NULL,
    deleted boolean NOT NULL DEFAULT false,
    deleted_at bigint NULL,
    ${RECONCILED_COLUMNS}
  )`,
  `CREATE UNIQUE INDEX ux_volumes_name ON volumes (project_id, name) WHERE deleted = false`,
  `CREATE INDEX ix_volumes_created ON volumes (created_at, id)`,
  dueIndex('volumes'),
  `CREATE TABLE volume_attachments (
    volume_id varchar(36) NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
    instance_id varchar(36) NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    job_id varchar(36) NOT NULL,
    is_attached boolean NOT NULL DEFAULT false,
    asked_at bigint NULL,
    device_name varchar(200) NULL,
    created_at bigint NOT NULL,
    released_at bigint NULL,
    trouble text NULL,
    refused_because text NULL,
    PRIMARY KEY (volume_id, instance_id)
  )`,
  `CREATE INDEX ix_volume_attachments_instance ON volume_attachments (instance_id)`,
  `CREATE INDEX ix_volume_attachments_job ON volume_attachments (job_id)`,
];
