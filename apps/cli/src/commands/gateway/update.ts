import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { parseReference } from '../../base/get-arguments.js';
import { ProjectCommand } from '../../base/project-command.js';
import { UsageError } from '../../errors/cli-error.js';

export default class GatewayUpdate extends ProjectCommand {
  static override summary = 'Change a gateway';
  static override args = { name: Args.string({ description: 'The gateway: NAME or PROJECT/NAME', required: true }) };
  static override flags = {
    'set-default': Flags.boolean({ summary: 'Make it the default gateway of the project' }),
    domain: Flags.string({ summary: 'Its wildcard domain', helpValue: 'DOMAIN' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(GatewayUpdate);
    if (!flags['set-default'] && flags.domain === undefined)
      throw new UsageError('Nothing to change.', 'Pass --set-default or --domain DOMAIN.');
    const client = await this.connect(flags);
    const { project, name } = parseReference(args.name);
    // A gateway of another project becomes the default of this one.
    if (flags['set-default']) await client.gateways.setDefault(name, project ?? null);
    if (flags.domain !== undefined)
      await (project === undefined ? client : client.withProject(project)).gateways.setWildcardDomain(
        name,
        flags.domain,
      );
    this.print(`Gateway ${name} updated`);
  }
}
