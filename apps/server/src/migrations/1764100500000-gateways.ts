import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dueIndex, RECONCILED_COLUMNS, run } from './sql-types.js';

/** Gateways, their machines, and what each of those says of the services it was told of. */
export class Gateways1764100500000 implements MigrationInterface {
  readonly name = 'Gateways1764100500000';

  async up(q: QueryRunner): Promise<void> {
    await run(q, STATEMENTS);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('DROP INDEX ix_runs_gateway');
    await q.query('ALTER TABLE runs DROP COLUMN gateway_id');
    await q.query('DROP TABLE gateway_registrations');
    await q.query('DROP TABLE gateway_certificates');
    await q.query('DROP TABLE gateway_replicas');
    await q.query('DROP TABLE gateways');
  }
}

const STATEMENTS = [
  `CREATE TABLE gateways (
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
    wildcard_domain varchar(300) NULL,
    desired_replica_count integer NOT NULL,
    ssh_public_key text NOT NULL,
    ssh_private_key text NOT NULL,
    host_access text NULL,
    failures integer NOT NULL DEFAULT 0,
    last_failure_at bigint NULL,
    created_at bigint NOT NULL,
    deletion_requested_at bigint NULL,
    deleted boolean NOT NULL DEFAULT false,
    deleted_at bigint NULL,
    ${RECONCILED_COLUMNS}
  )`,
  `CREATE UNIQUE INDEX ux_gateways_name ON gateways (project_id, name) WHERE deleted = false`,
  dueIndex('gateways'),
  `CREATE TABLE gateway_replicas (
    id varchar(36) NOT NULL PRIMARY KEY,
    gateway_id varchar(36) NOT NULL REFERENCES gateways (id) ON DELETE CASCADE,
    replica_num integer NOT NULL,
    status varchar(30) NOT NULL,
    status_changed_at bigint NOT NULL,
    status_message text NULL,
    unwanted boolean NOT NULL DEFAULT false,
    backend_type varchar(30) NOT NULL,
    host_name varchar(300) NULL,
    cloud_name varchar(200) NULL,
    token varchar(100) NULL,
    asked_at bigint NULL,
    machine text NULL,
    host_keys text NULL,
    installed_digest varchar(100) NULL,
    visited boolean NOT NULL DEFAULT false,
    trouble text NULL,
    unreachable_since bigint NULL,
    last_error text NULL,
    state_revision bigint NOT NULL DEFAULT 0,
    challenges text NULL,
    challenges_seen text NULL,
    connection_holder varchar(200) NULL,
    connection_expires_at bigint NULL,
    created_at bigint NOT NULL,
    deleted boolean NOT NULL DEFAULT false,
    ${RECONCILED_COLUMNS}
  )`,
  `CREATE INDEX ix_gateway_replicas_gateway ON gateway_replicas (gateway_id)`,
  `CREATE INDEX ix_gateway_replicas_cloud_name ON gateway_replicas (cloud_name)`,
  dueIndex('gateway_replicas'),
  // Private keys of certificates: sealed.
  `CREATE TABLE gateway_certificates (
    gateway_id varchar(36) NOT NULL REFERENCES gateways (id) ON DELETE CASCADE,
    host varchar(300) NOT NULL,
    certificate text NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (gateway_id, host)
  )`,
  // Of a service as a whole the job is ''.
  `CREATE TABLE gateway_registrations (
    replica_id varchar(36) NOT NULL REFERENCES gateway_replicas (id) ON DELETE CASCADE,
    run_id varchar(36) NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    job_id varchar(36) NOT NULL,
    is_registered boolean NOT NULL,
    message text NULL,
    lasting boolean NOT NULL DEFAULT false,
    since bigint NOT NULL,
    PRIMARY KEY (replica_id, run_id, job_id)
  )`,
  `CREATE INDEX ix_gateway_registrations_run ON gateway_registrations (run_id)`,
  `ALTER TABLE runs ADD COLUMN gateway_id varchar(36) NULL`,
  `CREATE INDEX ix_runs_gateway ON runs (gateway_id) WHERE gateway_id IS NOT NULL`,
];
