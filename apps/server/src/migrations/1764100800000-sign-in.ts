import type { MigrationInterface, QueryRunner } from 'typeorm';
import { run } from './sql-types.js';

/** Sign-ins that are under way, and whom a provider knows as which user. */
export class SignIn1764100800000 implements MigrationInterface {
  readonly name = 'SignIn1764100800000';

  async up(q: QueryRunner): Promise<void> {
    await run(q, [
      `CREATE TABLE begun_sign_ins (
        id varchar(64) PRIMARY KEY,
        provider varchar(40) NOT NULL,
        sealed text NOT NULL,
        local_port integer NULL,
        next_poll_at bigint NOT NULL,
        expires_at bigint NOT NULL
      )`,
      'CREATE INDEX ix_begun_sign_ins_expires ON begun_sign_ins (expires_at)',
      `CREATE TABLE user_identities (
        id varchar(36) PRIMARY KEY,
        user_id varchar(36) NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        issuer varchar(500) NOT NULL,
        subject varchar(500) NOT NULL,
        managed_projects text NOT NULL,
        created_at bigint NOT NULL,
        UNIQUE (issuer, subject)
      )`,
      'CREATE INDEX ix_user_identities_user ON user_identities (user_id)',
    ]);
  }

  async down(q: QueryRunner): Promise<void> {
    await run(q, ['DROP TABLE user_identities', 'DROP TABLE begun_sign_ins']);
  }
}
