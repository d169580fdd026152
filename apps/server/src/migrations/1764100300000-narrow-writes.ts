import type { MigrationInterface, QueryRunner } from 'typeorm';
import { run } from './sql-types.js';

/**
 * Less is written for each event: what it is about has no id of its own, which nobody ever asked for. Machines with room are found without a
 * look at the full ones. Postgres keeps place for the next versions of rows that change often.
 */
export class NarrowWrites1764100300000 implements MigrationInterface {
  readonly name = 'NarrowWrites1764100300000';

  async up(q: QueryRunner): Promise<void> {
    await (q.dataSource.options.type === 'postgres'
      ? run(q, ['ALTER TABLE event_targets DROP COLUMN id'])
      : rebuild(q, { id: null }));
    await run(q, ROOM);
    if (q.dataSource.options.type === 'postgres')
      await run(
        q,
        CHANGED_OFTEN.map((table) => `ALTER TABLE ${table} SET (fillfactor = 50)`),
      );
  }

  async down(q: QueryRunner): Promise<void> {
    if (q.dataSource.options.type === 'postgres')
      await run(
        q,
        CHANGED_OFTEN.map((table) => `ALTER TABLE ${table} RESET (fillfactor)`),
      );
    await run(q, ['DROP INDEX ix_instances_room', 'DROP INDEX ix_instances_starting']);
    await (q.dataSource.options.type === 'postgres'
      ? run(q, [
          `ALTER TABLE event_targets ADD COLUMN id varchar(36) NOT NULL PRIMARY KEY DEFAULT gen_random_uuid()::text`,
        ])
      : rebuild(q, { id: 'lower(hex(randomblob(16)))' }));
  }
}

// Each as placement asks for it (placement/project-capacity.ts).
const ROOM = [
  `CREATE INDEX ix_instances_room ON instances (project_id)
    WHERE deleted = false AND status IN ('idle', 'busy') AND busy_blocks < total_blocks`,
  `CREATE INDEX ix_instances_starting ON instances (project_id)
    WHERE deleted = false AND status IN ('pending', 'launching') AND backend_type = 'local'`,
];

/** A new version of a row that finds place beside the old one, and has the same in its indexed columns, is written to no index: leases, what agents tell. */
const CHANGED_OFTEN = ['runs', 'jobs', 'instances'];

const COLUMNS = 'event_id, entity_type, entity_id, entity_name, entity_project_id, run_id, fleet_id, recorded_at';

/** SQLite drops no primary key. */
async function rebuild(q: QueryRunner, { id }: { readonly id: string | null }): Promise<void> {
  await run(q, [
    `CREATE TABLE event_targets_rebuilt (
      ${id === null ? '' : 'id varchar(36) NOT NULL PRIMARY KEY,'}
      event_id varchar(36) NOT NULL REFERENCES events (id) ON DELETE CASCADE,
      entity_type varchar(30) NOT NULL,
      entity_id varchar(36) NOT NULL,
      entity_name varchar(300) NOT NULL,
      entity_project_id varchar(36) NULL REFERENCES projects (id) ON DELETE CASCADE,
      run_id varchar(36) NULL,
      fleet_id varchar(36) NULL,
      recorded_at bigint NOT NULL
    )`,
    `INSERT INTO event_targets_rebuilt (${id === null ? '' : 'id, '}${COLUMNS})
      SELECT ${id === null ? '' : `${id}, `}${COLUMNS} FROM event_targets`,
    'DROP TABLE event_targets',
    'ALTER TABLE event_targets_rebuilt RENAME TO event_targets',
    ...INDEXES,
  ]);
}

const INDEXES = [
  `CREATE INDEX ix_event_targets_event ON event_targets (event_id, entity_type)`,
  `CREATE INDEX ix_event_targets_entity ON event_targets (entity_type, entity_id, recorded_at DESC, event_id)`,
  `CREATE INDEX ix_event_targets_type ON event_targets (entity_type, recorded_at DESC, event_id)`,
  `CREATE INDEX ix_event_targets_project ON event_targets (entity_project_id, recorded_at DESC, event_id)`,
  `CREATE INDEX ix_event_targets_project_type ON event_targets (entity_project_id, entity_type, recorded_at DESC, event_id)`,
  `CREATE INDEX ix_event_targets_run ON event_targets (run_id, recorded_at DESC, event_id) WHERE run_id IS NOT NULL`,
  `CREATE INDEX ix_event_targets_fleet ON event_targets (fleet_id, recorded_at DESC, event_id) WHERE fleet_id IS NOT NULL`,
];
