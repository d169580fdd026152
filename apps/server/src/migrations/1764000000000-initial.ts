import type { MigrationInterface, QueryRunner } from 'typeorm';
import { blobType, dueIndex, RECONCILED_COLUMNS, run } from './sql-types.js';

/** Ids are UUID v4 text, times Unix milliseconds, specs JSON text. Columns said to be encrypted hold `enc:…` values. */
export class Initial1764000000000 implements MigrationInterface {
  readonly name = 'Initial1764000000000';

  async up(q: QueryRunner): Promise<void> {
    const blob = blobType(q);
    await run(q, IDENTITY);
    await run(q, sources(blob));
    await run(q, EVENTS);
    await run(q, CAPACITY);
    await run(q, WORK);
    await run(q, observations(blob));
  }

  async down(q: QueryRunner): Promise<void> {
    for (const table of TABLES.toReversed()) await q.query(`DROP TABLE ${table}`);
  }
}

const TABLES = [
  'installation', 'users', 'user_public_keys', 'projects', 'members', 'backends', 'repos', 'repo_creds', 'codes',
  'file_archives', 'secrets', 'events', 'event_targets', 'fleets', 'instances', 'provisioning_attempts',
  'priced_intervals', 'runs', 'jobs', 'service_traffic', 'leases', 'log_streams', 'log_chunks', 'job_metrics_points',
  'instance_health_checks',
]; // prettier-ignore

const ID = 'id varchar(36) NOT NULL PRIMARY KEY';

const IDENTITY = [
  `CREATE TABLE installation (
    installation_id varchar(36) NOT NULL PRIMARY KEY,
    created_at bigint NOT NULL,
    key_check text NULL,
    key_name varchar(100) NULL,
    quarantine_until bigint NULL
  )`,
  `CREATE TABLE users (
    ${ID},
    name varchar(100) NOT NULL,
    original_name varchar(100) NULL,
    token_hash varchar(64) NOT NULL,
    token text NOT NULL,
    global_role varchar(20) NOT NULL,
    active boolean NOT NULL DEFAULT true,
    email varchar(200) NULL,
    projects_quota integer NOT NULL,
    ssh_public_key text NULL,
    ssh_private_key text NULL,
    created_at bigint NOT NULL,
    deleted boolean NOT NULL DEFAULT false
  )`,
  `CREATE UNIQUE INDEX ux_users_name ON users (name)`,
  // Names that differ only in case would be confused by people, so they conflict.
  `CREATE UNIQUE INDEX ux_users_lower_name ON users (lower(name))`,
  `CREATE UNIQUE INDEX ux_users_token_hash ON users (token_hash)`,
  `CREATE TABLE user_public_keys (
    ${ID},
    user_id varchar(36) NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name varchar(200) NOT NULL,
    type varchar(100) NOT NULL,
    fingerprint varchar(100) NOT NULL,
    public_key text NOT NULL,
    created_at bigint NOT NULL
  )`,
  `CREATE UNIQUE INDEX ux_user_public_keys ON user_public_keys (user_id, fingerprint)`,
  `CREATE TABLE projects (
    ${ID},
    name varchar(100) NOT NULL,
    original_name varchar(100) NULL,
    owner_id varchar(36) NOT NULL REFERENCES users (id),
    is_public boolean NOT NULL DEFAULT false,
    ssh_public_key text NOT NULL,
    ssh_private_key text NOT NULL,
    templates_repo text NULL,
    default_gateway_id varchar(36) NULL,
    created_at bigint NOT NULL,
    deleted boolean NOT NULL DEFAULT false
  )`,
  `CREATE UNIQUE INDEX ux_projects_name ON projects (name)`,
  `CREATE UNIQUE INDEX ux_projects_lower_name ON projects (lower(name))`,
  `CREATE TABLE members (
    ${ID},
    project_id varchar(36) NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id varchar(36) NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    project_role varchar(20) NOT NULL,
    member_num integer NULL
  )`,
  `CREATE UNIQUE INDEX ux_members ON members (project_id, user_id)`,
  `CREATE INDEX ix_members_user ON members (user_id)`,
  `CREATE TABLE backends (
    ${ID},
    project_id varchar(36) NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    type varchar(30) NOT NULL,
    config text NOT NULL,
    auth text NOT NULL,
    source_config text NULL,
    source_auth text NULL,
    created_at bigint NOT NULL
  )`,
  `CREATE UNIQUE INDEX ux_backends ON backends (project_id, type)`,
  `CREATE TABLE secrets (
    ${ID},
    project_id varchar(36) NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name varchar(200) NOT NULL,
    value text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
  )`,
  `CREATE UNIQUE INDEX ux_secrets ON secrets (project_id, name)`,
];

const sources = (blob: string): string[] => [
  `CREATE TABLE repos (
    ${ID},
    project_id varchar(36) NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name varchar(200) NOT NULL,
    type varchar(20) NOT NULL,
    info text NOT NULL,
    created_at bigint NOT NULL
  )`,
  `CREATE UNIQUE INDEX ux_repos ON repos (project_id, name)`,
  `CREATE TABLE repo_creds (
    ${ID},
    repo_id varchar(36) NOT NULL REFERENCES repos (id) ON DELETE CASCADE,
    user_id varchar(36) NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    creds text NOT NULL
  )`,
  `CREATE UNIQUE INDEX ux_repo_creds ON repo_creds (repo_id, user_id)`,
  `CREATE TABLE codes (
    ${ID},
    repo_id varchar(36) NOT NULL REFERENCES repos (id) ON DELETE CASCADE,
    blob_hash varchar(200) NOT NULL,
    content ${blob} NULL,
    created_at bigint NOT NULL
  )`,
  `CREATE UNIQUE INDEX ux_codes ON codes (repo_id, blob_hash)`,
  `CREATE TABLE file_archives (
    ${ID},
    user_id varchar(36) NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    blob_hash varchar(200) NOT NULL,
    content ${blob} NULL,
    created_at bigint NOT NULL
  )`,
  `CREATE UNIQUE INDEX ux_file_archives ON file_archives (user_id, blob_hash)`,
];

const EVENTS = [
  `CREATE TABLE events (
    ${ID},
    message text NOT NULL,
    recorded_at bigint NOT NULL,
    actor_user_id varchar(36) NULL REFERENCES users (id) ON DELETE CASCADE
  )`,
  // As the list of events reads them: newest first, and the other way round.
  `CREATE INDEX ix_events_recorded ON events (recorded_at DESC, id)`,
  `CREATE INDEX ix_events_actor ON events (actor_user_id, recorded_at DESC, id)`,
  `CREATE TABLE event_targets (
    ${ID},
    event_id varchar(36) NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    entity_type varchar(30) NOT NULL,
    entity_id varchar(36) NOT NULL,
    entity_name varchar(300) NOT NULL,
    entity_project_id varchar(36) NULL REFERENCES projects (id) ON DELETE CASCADE,
    run_id varchar(36) NULL,
    fleet_id varchar(36) NULL,
    recorded_at bigint NOT NULL
  )`,
  `CREATE INDEX ix_event_targets_event ON event_targets (event_id, entity_type)`,
  // One for each way to ask for events (events/event-sources.ts): the page asked for is the first entries from a place on.
  `CREATE INDEX ix_event_targets_entity ON event_targets (entity_type, entity_id, recorded_at DESC, event_id)`,
  `CREATE INDEX ix_event_targets_type ON event_targets (entity_type, recorded_at DESC, event_id)`,
  `CREATE INDEX ix_event_targets_project ON event_targets (entity_project_id, recorded_at DESC, event_id)`,
  `CREATE INDEX ix_event_targets_project_type ON event_targets (entity_project_id, entity_type, recorded_at DESC, event_id)`,
  `CREATE INDEX ix_event_targets_run ON event_targets (run_id, recorded_at DESC, event_id) WHERE run_id IS NOT NULL`,
  `CREATE INDEX ix_event_targets_fleet ON event_targets (fleet_id, recorded_at DESC, event_id) WHERE fleet_id IS NOT NULL`,
];

const CAPACITY = [
  `CREATE TABLE fleets (
    ${ID},
    project_id varchar(36) NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name varchar(100) NOT NULL,
    status varchar(30) NOT NULL,
    status_message text NULL,
    spec text NOT NULL,
    created_at bigint NOT NULL,
    deleted boolean NOT NULL DEFAULT false,
    deleted_at bigint NULL,
    last_consolidated_at bigint NULL,
    consolidation_attempt integer NOT NULL DEFAULT 0,
    master_instance_id varchar(36) NULL,
    ${RECONCILED_COLUMNS}
  )`,
  `CREATE UNIQUE INDEX ux_fleets_name ON fleets (project_id, name) WHERE deleted = false`,
  `CREATE INDEX ix_fleets_created ON fleets (created_at, id)`,
  dueIndex('fleets'),
  `CREATE TABLE instances (
    ${ID},
    project_id varchar(36) NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    fleet_id varchar(36) NULL REFERENCES fleets (id),
    instance_num integer NOT NULL,
    name varchar(150) NOT NULL,
    status varchar(30) NOT NULL,
    status_changed_at bigint NOT NULL,
    unreachable_since bigint NULL,
    health varchar(30) NOT NULL DEFAULT 'healthy',
    created_at bigint NOT NULL,
    started_at bigint NULL,
    finished_at bigint NULL,
    backend_type varchar(30) NULL,
    backend_id varchar(36) NULL,
    region varchar(100) NULL,
    zone varchar(100) NULL,
    offer text NULL,
    price double precision NULL,
    cloud_name varchar(200) NULL,
    machine text NULL,
    requirements text NULL,
    profile text NULL,
    total_blocks integer NULL,
    busy_blocks integer NOT NULL DEFAULT 0,
    idle_since bigint NULL,
    idle_seconds bigint NULL,
    termination_reason varchar(100) NULL,
    termination_message text NULL,
    first_termination_at bigint NULL,
    last_error text NULL,
    provisioning_job_id varchar(36) NULL,
    connection_epoch bigint NOT NULL DEFAULT 0,
    connection_holder varchar(200) NULL,
    connection_expires_at bigint NULL,
    agent_info text NULL,
    host_name varchar(300) NULL,
    host_access text NULL,
    host_keys text NULL,
    progress text NULL,
    unwanted varchar(100) NULL,
    deleted boolean NOT NULL DEFAULT false,
    ${RECONCILED_COLUMNS}
  )`,
  `CREATE INDEX ix_instances_fleet ON instances (fleet_id)`,
  `CREATE INDEX ix_instances_number ON instances (fleet_id, instance_num) WHERE deleted = false`,
  `CREATE INDEX ix_instances_project ON instances (project_id, created_at)`,
  `CREATE INDEX ix_instances_status ON instances (status) WHERE deleted = false`,
  `CREATE UNIQUE INDEX ux_instances_host ON instances (host_name) WHERE deleted = false AND host_name IS NOT NULL`,
  dueIndex('instances'),
  `CREATE TABLE provisioning_attempts (
    ${ID},
    instance_id varchar(36) NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    attempt integer NOT NULL,
    offer text NOT NULL,
    backend_type varchar(30) NOT NULL,
    region varchar(100) NOT NULL,
    zone varchar(100) NULL,
    cloud_name varchar(200) NOT NULL,
    token varchar(100) NOT NULL,
    asked_at bigint NULL,
    outcome varchar(30) NULL,
    failure_kind varchar(30) NULL,
    failure_blocks varchar(30) NULL,
    message text NULL,
    created_at bigint NOT NULL,
    finished_at bigint NULL
  )`,
  `CREATE UNIQUE INDEX ux_provisioning_attempts ON provisioning_attempts (instance_id, attempt)`,
  `CREATE TABLE priced_intervals (
    ${ID},
    instance_id varchar(36) NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    project_id varchar(36) NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    price_usd_per_hour double precision NOT NULL,
    started_at bigint NOT NULL,
    ended_at bigint NULL
  )`,
  `CREATE INDEX ix_priced_intervals_instance ON priced_intervals (instance_id)`,
  `CREATE INDEX ix_priced_intervals_project ON priced_intervals (project_id, started_at)`,
  `CREATE TABLE instance_health_checks (
    ${ID},
    instance_id varchar(36) NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    collected_at bigint NOT NULL,
    status varchar(30) NOT NULL,
    response text NOT NULL
  )`,
  `CREATE INDEX ix_instance_health_checks ON instance_health_checks (instance_id, collected_at)`,
];

const WORK = [
  `CREATE TABLE runs (
    ${ID},
    project_id varchar(36) NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id varchar(36) NOT NULL REFERENCES users (id),
    repo_id varchar(36) NULL REFERENCES repos (id),
    fleet_id varchar(36) NULL REFERENCES fleets (id),
    name varchar(100) NOT NULL,
    submitted_at bigint NOT NULL,
    status varchar(30) NOT NULL,
    status_changed_at bigint NOT NULL,
    finished_at bigint NULL,
    termination_reason varchar(100) NULL,
    run_spec text NOT NULL,
    service_spec text NULL,
    priority integer NOT NULL DEFAULT 0,
    deployment_num integer NOT NULL DEFAULT 0,
    desired_replica_count integer NOT NULL DEFAULT 1,
    next_triggered_at bigint NULL,
    resubmission_attempt integer NOT NULL DEFAULT 0,
    resume_at bigint NULL,
    idempotency_key varchar(200) NULL,
    pending_because text NULL,
    replica_scale text NULL,
    former_run_spec text NULL,
    deployment_note text NULL,
    deleted boolean NOT NULL DEFAULT false,
    ${RECONCILED_COLUMNS}
  )`,
  `CREATE INDEX ix_runs_waiting ON runs (project_id)
    WHERE status = 'pending' AND resume_at IS NOT NULL AND pending_because IS NOT NULL`,
  `CREATE UNIQUE INDEX ux_runs_name ON runs (project_id, name) WHERE deleted = false`,
  `CREATE UNIQUE INDEX ux_runs_idempotency_key ON runs (project_id, idempotency_key)`,
  `CREATE INDEX ix_runs_submitted ON runs (submitted_at DESC, id)`,
  // As lists read them (runs/run-list-query.ts).
  `CREATE INDEX ix_runs_project ON runs (project_id, submitted_at DESC, id) WHERE deleted = false`,
  `CREATE INDEX ix_runs_user ON runs (user_id, project_id, submitted_at DESC, id) WHERE deleted = false`,
  `CREATE INDEX ix_runs_active ON runs (project_id, submitted_at DESC, id)
    WHERE deleted = false AND status NOT IN ('terminated', 'failed', 'done')`,
  dueIndex('runs'),
  `CREATE TABLE jobs (
    ${ID},
    run_id varchar(36) NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    project_id varchar(36) NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    job_num integer NOT NULL,
    replica_num integer NOT NULL,
    replica_group varchar(100) NULL,
    submission_num integer NOT NULL,
    deployment_num integer NOT NULL DEFAULT 0,
    status varchar(30) NOT NULL,
    status_changed_at bigint NOT NULL,
    submitted_at bigint NOT NULL,
    running_at bigint NULL,
    finished_at bigint NULL,
    termination_reason varchar(100) NULL,
    termination_message text NULL,
    exit_status integer NULL,
    job_spec text NOT NULL,
    provisioning_data text NULL,
    runtime_data text NULL,
    runtime varchar(30) NULL,
    runtime_reason text NULL,
    instance_id varchar(36) NULL REFERENCES instances (id),
    used_instance_id varchar(36) NULL REFERENCES instances (id),
    blocks integer NULL,
    waiting_master_job boolean NOT NULL DEFAULT false,
    stop_requested_at bigint NULL,
    stop_mode varchar(20) NULL,
    kill_at bigint NULL,
    disconnected_at bigint NULL,
    inactivity_secs bigint NULL,
    pull_progress text NULL,
    agent_revision bigint NOT NULL DEFAULT 0,
    log_end_job bigint NULL,
    log_end_runner bigint NULL,
    registered boolean NOT NULL DEFAULT false,
    ready_at bigint NULL,
    draining_since bigint NULL,
    probes text NULL,
    ${RECONCILED_COLUMNS}
  )`,
  `CREATE UNIQUE INDEX ux_jobs_submission ON jobs (run_id, replica_num, job_num, submission_num)`,
  `CREATE INDEX ix_jobs_instance ON jobs (instance_id) WHERE instance_id IS NOT NULL`,
  `CREATE INDEX ix_jobs_used_instance ON jobs (used_instance_id)`,
  `CREATE INDEX ix_jobs_unplaced ON jobs (submitted_at) WHERE status = 'submitted' AND instance_id IS NULL`,
  // Replicas that get requests, and those that are asked whether they shall.
  `CREATE INDEX ix_jobs_registered ON jobs (run_id) WHERE registered = true`,
  `CREATE INDEX ix_jobs_probed ON jobs (instance_id) WHERE status = 'running' AND probes IS NOT NULL`,
  dueIndex('jobs'),
  `CREATE TABLE service_traffic (
    run_id varchar(36) NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    source varchar(200) NOT NULL,
    reported_at bigint NOT NULL,
    report text NOT NULL,
    PRIMARY KEY (run_id, source)
  )`,
  `CREATE TABLE leases (
    name varchar(200) NOT NULL PRIMARY KEY,
    holder varchar(200) NULL,
    token bigint NOT NULL DEFAULT 0,
    expires_at bigint NULL
  )`,
];

const observations = (blob: string): string[] => [
  `CREATE TABLE log_streams (
    job_id varchar(36) NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    stream varchar(20) NOT NULL,
    end_offset bigint NOT NULL DEFAULT 0,
    closed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (job_id, stream)
  )`,
  `CREATE TABLE log_chunks (
    job_id varchar(36) NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    stream varchar(20) NOT NULL,
    start_offset bigint NOT NULL,
    end_offset bigint NOT NULL,
    first_at bigint NOT NULL,
    last_at bigint NOT NULL,
    data ${blob} NOT NULL,
    PRIMARY KEY (job_id, stream, start_offset)
  )`,
  `CREATE TABLE job_metrics_points (
    ${ID},
    job_id varchar(36) NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    timestamp_micro bigint NOT NULL,
    cpu_usage_micro bigint NOT NULL,
    memory_usage_bytes bigint NOT NULL,
    memory_working_set_bytes bigint NOT NULL,
    gpus text NOT NULL
  )`,
  `CREATE INDEX ix_job_metrics_points ON job_metrics_points (job_id, timestamp_micro)`,
];
