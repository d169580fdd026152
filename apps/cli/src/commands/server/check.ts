import { BaseCommand } from '../../base/base-command.js';
import { runServerOperation } from '../../server/load-server.js';

export default class ServerCheck extends BaseCommand {
  static override summary = 'Look at all that a start of the server needs, and start nothing';

  async run(): Promise<void> {
    await this.parse(ServerCheck);
    await runServerOperation(['check']);
  }
}
