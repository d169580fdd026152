import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../base/base-command.js';
import { runServerOperation } from '../../server/load-server.js';

export default class ServerSupportBundle extends BaseCommand {
  static override summary = 'Write what helps others to understand this server into a file, without secrets';
  static override flags = {
    to: Flags.string({ summary: 'A file that does not exist yet', required: true }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ServerSupportBundle);
    await runServerOperation(['support-bundle', '--to', flags.to]);
  }
}
