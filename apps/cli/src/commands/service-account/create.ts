import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Wire } from '@dstack/sdk';
import { ProjectCommand } from '../../base/project-command.js';

const ROLES = ['user', 'manager', 'admin'] as const satisfies readonly Wire.ProjectRole[];

export default class ServiceAccountCreate extends ProjectCommand {
  static override summary = 'Make a user that is a program, with a role in this project; global admins only';
  static override examples = [
    'dstack --project team service-account create builder',
    'dstack token create ci --user builder --expires 90d',
  ];
  static override args = { name: Args.string({ description: 'Its name', required: true }) };
  static override flags = {
    role: Flags.option({ options: ROLES, default: 'user' })({ summary: 'What it is in the project' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ServiceAccountCreate);
    const client = await this.connect(flags);
    await client.users.createServiceAccount(args.name);
    await client.projects.addMembers(client.project, [{ username: args.name, project_role: flags.role }]);
    this.print(`${args.name} is ${flags.role} of project ${client.project}.`);
    this.note(`It cannot sign in. Its token: dstack token create NAME --user ${args.name} --expires 90d`);
  }
}
