import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ProjectCommand } from '../../base/project-command.js';

const several = { multiple: true, multipleNonGreedy: true, helpValue: 'NAME' } as const;

export default class ExportCreate extends ProjectCommand {
  static override summary = 'Share fleets and gateways with other projects';
  static override args = { name: Args.string({ description: 'The export', required: true }) };
  static override flags = {
    importer: Flags.string({ summary: 'A project that may use them', ...several }),
    fleet: Flags.string({ summary: 'A fleet to share', ...several }),
    gateway: Flags.string({ summary: 'A gateway to share', ...several }),
    global: Flags.boolean({ summary: 'Share with every project' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ExportCreate);
    const client = await this.connect(flags);
    await client.exports.create({
      name: args.name,
      is_global: flags.global,
      importer_projects: flags.importer ?? [],
      exported_fleets: flags.fleet ?? [],
      exported_gateways: flags.gateway ?? [],
    });
    this.print(`Export ${args.name} created`);
  }
}
