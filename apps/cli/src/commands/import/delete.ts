import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { parseReference } from '../../base/get-arguments.js';
import { ProjectCommand } from '../../base/project-command.js';
import { UsageError } from '../../errors/cli-error.js';
import { confirm } from '../../terminal/prompt.js';

export default class ImportDelete extends ProjectCommand {
  static override summary = 'Give up what another project shares';
  static override args = { name: Args.string({ description: 'The import: PROJECT/EXPORT', required: true }) };
  static override flags = { yes: Flags.boolean({ char: 'y', summary: 'Do not ask' }) };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImportDelete);
    const { project, name } = parseReference(args.name);
    if (project === undefined) throw new UsageError(`${args.name} names no project.`, 'Write PROJECT/EXPORT.');
    const client = await this.connect(flags);
    if (!flags.yes && !(await confirm(this.context, `Delete the import ${args.name}?`))) {
      this.note('Nothing was deleted.');
      return;
    }
    await client.imports.delete({ export_name: name, export_project_name: project });
    this.print(`Import ${args.name} deleted`);
  }
}
