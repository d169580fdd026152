import type { MigrationInterface, QueryRunner } from 'typeorm';
import { run } from './sql-types.js';

/** What keeps the machines of a cluster close together, where the cloud has such a thing. */
export class PlacementGroups1764100100000 implements MigrationInterface {
  readonly name = 'PlacementGroups1764100100000';

  async up(q: QueryRunner): Promise<void> {
    await run(q, [
      `CREATE TABLE placement_groups (
        id varchar(36) NOT NULL PRIMARY KEY,
        project_id varchar(36) NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
        fleet_id varchar(36) NOT NULL REFERENCES fleets (id) ON DELETE CASCADE,
        backend_type varchar(30) NOT NULL,
        region varchar(100) NOT NULL,
        cloud_name varchar(200) NOT NULL,
        backend_data text NULL,
        created_at bigint NOT NULL,
        unwanted_at bigint NULL,
        last_error text NULL
      )`,
      `CREATE UNIQUE INDEX ux_placement_groups ON placement_groups (fleet_id, backend_type, region) WHERE unwanted_at IS NULL`,
    ]);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('DROP TABLE placement_groups');
  }
}
