import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ProjectCommand } from '../../base/project-command.js';
import { CliError } from '../../errors/cli-error.js';
import { confirm } from '../../terminal/prompt.js';

export default class ServiceAccountDelete extends ProjectCommand {
  static override summary = 'Delete a user that is a program, with its tokens; global admins only';
  static override args = { name: Args.string({ description: 'Its name', required: true }) };
  static override flags = { yes: Flags.boolean({ char: 'y', summary: 'Do not ask' }) };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ServiceAccountDelete);
    const client = await this.connect(flags);
    const accounts = await client.users.serviceAccounts();
    if (!accounts.some(({ username }) => username === args.name))
      throw new CliError(`There is no service account ${args.name}.`, { hint: 'See them: dstack service-account' });
    if (!flags.yes && !(await confirm(this.context, `Delete the service account ${args.name} and its tokens?`))) {
      this.note('Nothing was deleted.');
      return;
    }
    await client.users.delete([args.name]);
    this.print('OK');
  }
}
