import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../base/base-command.js';
import { runServerOperation } from '../../server/load-server.js';

export default class ServerRestore extends BaseCommand {
  static override summary = 'Put a backup in the place of what a stopped server knows';
  static override flags = {
    from: Flags.string({ summary: 'A folder that backup wrote', required: true }),
    overwrite: Flags.boolean({ summary: 'Also where a database is; it is put aside' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ServerRestore);
    await runServerOperation(['restore', '--from', flags.from, ...(flags.overwrite ? ['--overwrite'] : [])]);
  }
}
