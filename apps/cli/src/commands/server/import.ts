import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../base/base-command.js';
import { runServerOperation } from '../../server/load-server.js';

export default class ServerImport extends BaseCommand {
  static override summary = 'Bring users, projects, backends and secrets from a server of dstack 0.21';
  static override examples = ['dstack server import --from ~/.dstack/server/data/sqlite.db --dry-run'];
  static override flags = {
    from: Flags.string({
      summary: 'Its SQLite file, or postgresql://user:password@host/database; PGPASSWORD for the password',
      required: true,
    }),
    config: Flags.string({ summary: 'Its config.yml, for the keys in it; by default the one of its directory' }),
    'dry-run': Flags.boolean({ summary: 'Tell what would be brought, and write nothing' }),
    merge: Flags.boolean({ summary: 'Also into a server that is not empty: what is there stays' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ServerImport);
    await runServerOperation([
      'import',
      '--from',
      flags.from,
      ...(flags.config === undefined ? [] : ['--config', flags.config]),
      ...(flags['dry-run'] ? ['--dry-run'] : []),
      ...(flags.merge ? ['--merge'] : []),
    ]);
  }
}
