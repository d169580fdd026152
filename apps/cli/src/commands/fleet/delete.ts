import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ProjectCommand } from '../../base/project-command.js';
import { confirm } from '../../terminal/prompt.js';
import { withProgress } from '../../terminal/progress.js';

export default class FleetDelete extends ProjectCommand {
  static override summary = 'Delete a fleet, or some of its instances';
  static override args = { name: Args.string({ description: 'The fleet', required: true }) };
  static override flags = {
    instance: Flags.integer({
      char: 'i',
      summary: 'Only this instance; may be repeated',
      multiple: true,
      multipleNonGreedy: true,
    }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(FleetDelete);
    const client = await this.connect(flags);
    const { name } = await client.fleets.get({ name: args.name });
    const numbers = flags.instance ?? [];
    const subject =
      numbers.length === 0
        ? `the fleet ${name}`
        : `${numbers.length === 1 ? 'instance' : 'instances'} ${numbers.join(', ')} of the fleet ${name}`;
    if (!flags.yes && !(await confirm(this.context, `Delete ${subject}?`))) {
      this.note('Nothing was deleted.');
      return;
    }
    await withProgress(this.context, `Deleting ${subject}...`, () =>
      numbers.length === 0 ? client.fleets.delete([name]) : client.fleets.deleteInstances(name, numbers),
    );
    this.print(`Deletion of ${subject} has begun. See it: dstack fleet`);
  }
}
