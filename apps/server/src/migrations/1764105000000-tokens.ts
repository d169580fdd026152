import type { MigrationInterface, QueryRunner } from 'typeorm';
import { run } from './sql-types.js';

/** Tokens beside the one of each user, and users that are programs. */
export class Tokens1764105000000 implements MigrationInterface {
  readonly name = 'Tokens1764105000000';

  async up(q: QueryRunner): Promise<void> {
    await run(q, [
      'ALTER TABLE users ADD COLUMN is_service_account boolean NOT NULL DEFAULT false',
      `CREATE TABLE user_tokens (
        id varchar(36) NOT NULL PRIMARY KEY,
        user_id varchar(36) NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        name varchar(100) NOT NULL,
        token_hash varchar(64) NOT NULL,
        created_at bigint NOT NULL,
        expires_at bigint NULL
      )`,
      'CREATE UNIQUE INDEX ux_user_tokens_hash ON user_tokens (token_hash)',
      'CREATE UNIQUE INDEX ux_user_tokens_name ON user_tokens (user_id, name)',
    ]);
  }

  async down(q: QueryRunner): Promise<void> {
    await run(q, ['DROP TABLE user_tokens', 'ALTER TABLE users DROP COLUMN is_service_account']);
  }
}
