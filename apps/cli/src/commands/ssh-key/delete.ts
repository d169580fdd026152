import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ProjectCommand } from '../../base/project-command.js';
import { chosenKey } from '../../ssh/chosen-key.js';
import { confirm } from '../../terminal/prompt.js';

export default class SshKeyDelete extends ProjectCommand {
  static override summary = 'Take a public SSH key back: it opens no job from now on';
  static override args = { key: Args.string({ description: 'Its name or fingerprint', required: true }) };
  static override flags = { yes: Flags.boolean({ char: 'y', summary: 'Do not ask' }) };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SshKeyDelete);
    const client = await this.connect(flags);
    const { id, name, fingerprint } = chosenKey(await client.users.publicKeys(), args.key);
    if (!flags.yes && !(await confirm(this.context, `Delete the key ${name} (${fingerprint})?`))) {
      this.note('Nothing was deleted.');
      return;
    }
    await client.users.deletePublicKeys([id]);
    this.print('OK');
  }
}
