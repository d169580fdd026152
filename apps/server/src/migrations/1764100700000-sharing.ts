import type { MigrationInterface, QueryRunner } from 'typeorm';
import { run } from './sql-types.js';

const ID = 'id varchar(36) PRIMARY KEY';
const PROJECT = 'project_id varchar(36) NOT NULL REFERENCES projects (id) ON DELETE CASCADE';
const EXPORT = 'export_id varchar(36) NOT NULL REFERENCES exports (id) ON DELETE CASCADE';

/** What projects share, and with whom. */
export class Sharing1764100700000 implements MigrationInterface {
  readonly name = 'Sharing1764100700000';

  async up(q: QueryRunner): Promise<void> {
    await run(q, [
      `CREATE TABLE exports (
        ${ID},
        ${PROJECT},
        name varchar(100) NOT NULL,
        is_global boolean NOT NULL DEFAULT false,
        created_at bigint NOT NULL,
        UNIQUE (project_id, name)
      )`,
      `CREATE TABLE imports (
        ${ID},
        ${PROJECT},
        ${EXPORT},
        created_at bigint NOT NULL,
        UNIQUE (project_id, export_id)
      )`,
      'CREATE INDEX ix_imports_export ON imports (export_id)',
      `CREATE TABLE exported_fleets (
        ${EXPORT},
        fleet_id varchar(36) NOT NULL REFERENCES fleets (id) ON DELETE CASCADE,
        PRIMARY KEY (export_id, fleet_id)
      )`,
      'CREATE INDEX ix_exported_fleets_fleet ON exported_fleets (fleet_id)',
      `CREATE TABLE exported_gateways (
        ${EXPORT},
        gateway_id varchar(36) NOT NULL,
        PRIMARY KEY (export_id, gateway_id)
      )`,
      'CREATE INDEX ix_exported_gateways_gateway ON exported_gateways (gateway_id)',
    ]);
  }

  async down(q: QueryRunner): Promise<void> {
    await run(q, ['exported_gateways', 'exported_fleets', 'imports', 'exports'].map((table) => `DROP TABLE ${table}`)); // prettier-ignore
  }
}
