import * as Args from '@oclif/core/args';
import { BaseCommand } from '../../base/base-command.js';
import { withDefault } from '../../client-config/client-config.js';
import { changeClientConfig, readClientConfig } from '../../client-config/client-config-file.js';
import { CliError } from '../../errors/cli-error.js';
import { ask } from '../../terminal/prompt.js';

export default class ProjectSetDefault extends BaseCommand {
  static override summary = 'Choose the default project';
  static override args = { name: Args.string({ description: 'The project; asked for on a terminal' }) };

  async run(): Promise<void> {
    const { args } = await this.parse(ProjectSetDefault);
    const config = await readClientConfig(this.context.home);
    const names = config.projects.map((project) => project.name);
    const name =
      args.name ??
      (await ask(
        this.context,
        `Default project (${names.join(', ')})? `,
        'Name the project: dstack project set-default NAME',
        (text) => names.includes(text),
      ));
    if (!names.includes(name))
      throw new CliError(`Project ${name} is not configured.`, {
        hint: names.length === 0 ? 'Add it: dstack project add' : `Configured: ${names.join(', ')}.`,
      });
    await changeClientConfig(this.context.home, (now) => withDefault(now, name));
    this.print(this.context.style.success(`Project ${name} is the default.`));
  }
}
