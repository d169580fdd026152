import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ProjectCommand } from '../../base/project-command.js';
import { confirm } from '../../terminal/prompt.js';

export default class TokenDelete extends ProjectCommand {
  static override summary = 'Take a token back: it is refused from now on';
  static override args = { name: Args.string({ description: 'The token', required: true }) };
  static override flags = {
    user: Flags.string({ summary: 'Whose; yours when absent', helpValue: 'NAME' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(TokenDelete);
    const client = await this.connect(flags);
    if (!flags.yes && !(await confirm(this.context, `Delete the token ${args.name}?`))) {
      this.note('Nothing was deleted.');
      return;
    }
    await client.users.deleteTokens([args.name], flags.user);
    this.print('OK');
  }
}
