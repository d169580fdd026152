import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Wire } from '@dstack/sdk';
import { ProjectCommand } from '../../base/project-command.js';

const several = { multiple: true, multipleNonGreedy: true, helpValue: 'NAME' } as const;

export default class ExportUpdate extends ProjectCommand {
  static override summary = 'Change what an export shares, and with whom';
  static override args = { name: Args.string({ description: 'The export', required: true }) };
  static override flags = {
    'add-importer': Flags.string({ summary: 'Share with this project too', ...several }),
    'remove-importer': Flags.string({ summary: 'No longer share with this project', ...several }),
    'add-fleet': Flags.string({ summary: 'Share this fleet too', ...several }),
    'remove-fleet': Flags.string({ summary: 'No longer share this fleet', ...several }),
    'add-gateway': Flags.string({ summary: 'Share this gateway too', ...several }),
    'remove-gateway': Flags.string({ summary: 'No longer share this gateway', ...several }),
    'set-global': Flags.boolean({ summary: 'Share with every project', exclusive: ['unset-global'] }),
    'unset-global': Flags.boolean({ summary: 'Share with the named projects only' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ExportUpdate);
    const client = await this.connect(flags);
    const request: Wire.UpdateExportRequest = {
      name: args.name,
      add_importer_projects: flags['add-importer'] ?? [],
      remove_importer_projects: flags['remove-importer'] ?? [],
      add_exported_fleets: flags['add-fleet'] ?? [],
      remove_exported_fleets: flags['remove-fleet'] ?? [],
      add_exported_gateways: flags['add-gateway'] ?? [],
      remove_exported_gateways: flags['remove-gateway'] ?? [],
      set_global: flags['set-global'],
      unset_global: flags['unset-global'],
    };
    await client.exports.update(request);
    this.print(`Export ${args.name} updated`);
  }
}
