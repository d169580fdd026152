import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../base/base-command.js';
import { jsonFlag } from '../../base/json-flags.js';
import { clientOf } from '../../base/project-command.js';
import type { ConfiguredProject } from '../../client-config/client-config.js';
import { readClientConfig } from '../../client-config/client-config-file.js';
import { describeError } from '../../errors/describe-error.js';
import { projectsTable } from '../../render/projects-table.js';

export interface ListedProject {
  readonly name: string;
  readonly url: string;
  readonly default: boolean;
  readonly user: string | null;
  readonly problem: string | null;
}

const ASK_TIMEOUT_MS = 5_000;

export default class ProjectList extends BaseCommand {
  static override summary = 'List configured projects';
  static override enableJsonFlag = true;
  static override flags = {
    ...jsonFlag,
    verbose: Flags.boolean({ char: 'v', summary: 'Ask each server who the token belongs to' }),
  };

  async run(): Promise<{ projects: ListedProject[] }> {
    const { flags } = await this.parse(ProjectList);
    const { projects } = await readClientConfig(this.context.home);
    const listed = flags.verbose
      ? await Promise.all(projects.map((project) => this.asked(project)))
      : projects.map(bare);
    this.print(
      projectsTable(listed, { style: this.context.style, width: this.context.width(), verbose: flags.verbose }),
    );
    if (listed.length === 0)
      this.note('No project is configured. Add one: dstack project add --name NAME --url URL --token TOKEN');
    return { projects: listed };
  }

  private async asked(project: ConfiguredProject): Promise<ListedProject> {
    const client = clientOf({ ...project, project: project.name }, this.context);
    try {
      const user = await client.users.me({ timeoutMs: ASK_TIMEOUT_MS });
      return { ...bare(project), user: user.username };
    } catch (error) {
      return { ...bare(project), problem: describeError(error, 'project list').message };
    }
  }
}

function bare(project: ConfiguredProject): ListedProject {
  return { name: project.name, url: project.url, default: project.default, user: null, problem: null };
}
