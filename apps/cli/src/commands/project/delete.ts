import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../base/base-command.js';
import { withoutProject } from '../../client-config/client-config.js';
import { changeClientConfig, readClientConfig } from '../../client-config/client-config-file.js';
import { CliError } from '../../errors/cli-error.js';
import { confirm } from '../../terminal/prompt.js';

export default class ProjectDelete extends BaseCommand {
  static override summary = 'Remove a project from the configuration of this machine';
  static override flags = {
    name: Flags.string({ summary: 'The project', required: true }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ProjectDelete);
    const config = await readClientConfig(this.context.home);
    const found = config.projects.find((project) => project.name === flags.name);
    if (!found)
      throw new CliError(`Project ${flags.name} is not configured.`, { hint: 'See them: dstack project list' });
    if (!flags.yes && !(await confirm(this.context, `Remove project ${flags.name} from the configuration?`))) {
      this.note('Nothing was changed.');
      return;
    }
    await changeClientConfig(this.context.home, (now) => withoutProject(now, flags.name));
    this.print(this.context.style.success(`Project ${flags.name} is removed from the configuration.`));
    if (found.default) this.note('There is no default project now. Choose one: dstack project set-default NAME');
  }
}
