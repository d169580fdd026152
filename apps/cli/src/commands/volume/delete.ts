import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ProjectCommand } from '../../base/project-command.js';
import { confirm } from '../../terminal/prompt.js';

export default class VolumeDelete extends ProjectCommand {
  static override summary = 'Delete a volume';
  static override args = { name: Args.string({ description: 'The volume', required: true }) };
  static override flags = { yes: Flags.boolean({ char: 'y', summary: 'Do not ask' }) };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VolumeDelete);
    const client = await this.connect(flags);
    const { name } = await client.volumes.get(args.name);
    if (!flags.yes && !(await confirm(this.context, `Delete the volume ${name}?`))) {
      this.note('Nothing was deleted.');
      return;
    }
    await client.volumes.delete([name]);
    this.print(`Deletion of the volume ${name} has begun. See it: dstack volume`);
  }
}
