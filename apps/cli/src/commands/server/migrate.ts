import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../base/base-command.js';
import { runServerOperation } from '../../server/load-server.js';

export default class ServerMigrate extends BaseCommand {
  static override summary = 'Copy what a stopped server on SQLite knows into an empty Postgres database';
  static override flags = {
    to: Flags.string({
      summary: 'postgresql://user:password@host/database; PGPASSWORD for the password',
      required: true,
    }),
    copy: Flags.boolean({ summary: 'For tests: another installation, without credentials, in which nothing runs' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ServerMigrate);
    await runServerOperation(['migrate', '--to', flags.to, ...(flags.copy ? ['--copy'] : [])]);
  }
}
