import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../base/base-command.js';
import { runServerOperation } from '../../server/load-server.js';

export default class ServerBackup extends BaseCommand {
  static override summary = 'Copy what a server on SQLite knows into a folder, also while it runs';
  static override flags = {
    to: Flags.string({ summary: 'A folder that does not exist yet', required: true }),
    'with-keys': Flags.boolean({ summary: 'Also config.yml and encryption.key: the copy opens by itself then' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ServerBackup);
    await runServerOperation(['backup', '--to', flags.to, ...(flags['with-keys'] ? ['--with-keys'] : [])]);
  }
}
