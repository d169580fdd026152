import * as Flags from '@oclif/core/flags';
import { type Dstack, isApiError, isDstackError } from '@dstack/sdk';
import { BaseCommand } from '../../base/base-command.js';
import { clientOf } from '../../base/project-command.js';
import { withProject } from '../../client-config/client-config.js';
import { changeClientConfig, readClientConfig } from '../../client-config/client-config-file.js';
import { CliError } from '../../errors/cli-error.js';
import { confirm } from '../../terminal/prompt.js';

export default class ProjectAdd extends BaseCommand {
  static override summary = 'Add or update a project';
  static override examples = ['dstack project add --name main --url http://127.0.0.1:3000 --token TOKEN'];
  static override flags = {
    name: Flags.string({ summary: 'The name of the project', required: true }),
    url: Flags.string({ summary: 'The address of the server', required: true }),
    token: Flags.string({
      summary: 'Your token (DSTACK_TOKEN)',
      required: true,
      env: 'DSTACK_TOKEN',
      noCacheDefault: true,
    }),
    yes: Flags.boolean({ char: 'y', summary: 'Make it the default project', exclusive: ['no'] }),
    no: Flags.boolean({ char: 'n', summary: 'Leave the default project as it is' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ProjectAdd);
    const { home, style } = this.context;
    const { name, token } = flags;
    const url = flags.url.replace(/\/+$/, '');
    await verify(clientOf({ url, token, project: name }, this.context));
    const config = await readClientConfig(home);
    const current = config.projects.find((each) => each.default);
    let makeDefault = flags.yes || current === undefined || current.name === name;
    if (!makeDefault && !flags.no && this.context.canAsk)
      makeDefault = await confirm(
        this.context,
        `Set ${name} as your default project (now ${current?.name ?? 'none'})?`,
      );
    await changeClientConfig(home, (now) => withProject(now, { name, url, token }, makeDefault));
    this.print(style.success(`Project ${name} is configured${makeDefault ? ' as the default' : ''}.`));
  }
}

async function verify(client: Dstack): Promise<void> {
  try {
    await client.projects.get(client.project);
  } catch (error) {
    if (isDstackError(error, 'unauthenticated'))
      throw new CliError(`${client.url} refuses the token.`, {
        hint: 'Ensure that --token or DSTACK_TOKEN is valid.',
        cause: error,
      });
    if (isApiError(error) && (error.kind === 'not-found' || error.kind === 'forbidden'))
      throw new CliError(`Project ${client.project} not found on ${client.url}.`, {
        hint: 'Check the name, or ask its admin to add you.',
        cause: error,
      });
    throw error;
  }
}
