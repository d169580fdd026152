import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ProjectCommand } from '../../base/project-command.js';
import { confirm } from '../../terminal/prompt.js';

export default class SecretDelete extends ProjectCommand {
  static override summary = 'Delete a secret';
  static override args = { name: Args.string({ description: 'The secret', required: true }) };
  static override flags = { yes: Flags.boolean({ char: 'y', summary: 'Do not ask' }) };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SecretDelete);
    const client = await this.connect(flags);
    const { name } = await client.secrets.get(args.name);
    if (!flags.yes && !(await confirm(this.context, `Delete the secret ${name}?`))) {
      this.note('Nothing was deleted.');
      return;
    }
    await client.secrets.delete([name]);
    this.print('OK');
  }
}
