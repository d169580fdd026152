import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ProjectCommand } from '../../base/project-command.js';
import { confirm } from '../../terminal/prompt.js';

export default class GatewayDelete extends ProjectCommand {
  static override summary = 'Delete a gateway';
  static override args = { name: Args.string({ description: 'The gateway', required: true }) };
  static override flags = {
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask' }),
    force: Flags.boolean({ summary: 'Also when services use it: nobody reaches them then' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(GatewayDelete);
    const client = await this.connect(flags);
    const { name } = await client.gateways.get(args.name);
    if (!flags.yes && !(await confirm(this.context, `Delete the gateway ${name}?`))) {
      this.note('Nothing was deleted.');
      return;
    }
    await client.gateways.delete([name], flags.force ? { force: true } : {});
    this.print(`Deletion of the gateway ${name} has begun. See it: dstack gateway`);
  }
}
