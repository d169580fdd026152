import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ProjectCommand } from '../../base/project-command.js';
import { confirm } from '../../terminal/prompt.js';

export default class ExportDelete extends ProjectCommand {
  static override summary = 'Stop sharing';
  static override args = { name: Args.string({ description: 'The export', required: true }) };
  static override flags = { yes: Flags.boolean({ char: 'y', summary: 'Do not ask' }) };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ExportDelete);
    const client = await this.connect(flags);
    if (!flags.yes && !(await confirm(this.context, `Delete the export ${args.name}?`))) {
      this.note('Nothing was deleted.');
      return;
    }
    await client.exports.delete(args.name);
    this.print(`Export ${args.name} deleted`);
  }
}
