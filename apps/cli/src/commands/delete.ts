import * as Flags from '@oclif/core/flags';
import { deleteFleetAndWait } from '../apply/apply-fleet.js';
import { readConfigurationFile } from '../apply/configuration-file.js';
import { loadConfiguration } from '../apply/load-configuration.js';
import { interruptSignal } from '../base/interrupt.js';
import { ProjectCommand } from '../base/project-command.js';
import { CliError, UsageError } from '../errors/cli-error.js';
import { confirm } from '../terminal/prompt.js';

export default class Delete extends ProjectCommand {
  static override summary = 'Delete what a configuration describes';
  static override flags = {
    file: Flags.string({ char: 'f', summary: 'The configuration file; - reads standard input', helpValue: 'FILE' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Delete);
    if (flags.file === '-' && !flags.yes)
      throw new UsageError(
        'A configuration from standard input cannot be confirmed.',
        'Pass -y to go on without asking.',
      );
    const { configuration } = loadConfiguration(await readConfigurationFile(flags.file, this.context.cwd));
    const type = configuration.type ?? 'task';
    const name = 'name' in configuration ? configuration.name : undefined;
    if (!name)
      throw new CliError('The configuration has no name.', {
        hint: 'Name it, or delete by name: dstack fleet delete NAME',
      });
    const client = await this.connect(flags);
    // A missing one is told before anything is asked.
    if (type === 'fleet') await client.fleets.get({ name });
    else if (type === 'volume') await client.volumes.get(name);
    else if (type === 'gateway') await client.gateways.get(name);
    else await client.runs.get(name);
    const noun = type === 'fleet' || type === 'volume' || type === 'gateway' ? type : 'run';
    if (!flags.yes && !(await confirm(this.context, `Delete the ${noun} ${name}?`))) {
      this.note('Nothing was deleted.');
      return;
    }
    const { signal } = interruptSignal();
    if (type === 'fleet') await deleteFleetAndWait(client, this.context, name, signal);
    else if (type === 'volume') await client.volumes.delete([name], { signal });
    else if (type === 'gateway') await client.gateways.delete([name], { signal });
    else await client.runs.delete([name], { signal });
    this.print(`${noun[0]?.toUpperCase() ?? ''}${noun.slice(1)} ${name} deleted`);
  }
}
