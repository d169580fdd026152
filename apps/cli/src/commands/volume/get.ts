import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Wire } from '@dstack/sdk';
import { parseReference, requireJson } from '../../base/get-arguments.js';
import { ProjectCommand } from '../../base/project-command.js';

export default class VolumeGet extends ProjectCommand {
  static override summary = 'Show a volume as JSON';
  static override args = { name: Args.string({ description: 'The volume', required: true }) };
  static override enableJsonFlag = true;
  static override flags = { json: Flags.boolean({ summary: 'The output is JSON' }) };

  async run(): Promise<Wire.Volume> {
    const { args, flags } = await this.parse(VolumeGet);
    requireJson(flags.json);
    const client = await this.connect(flags);
    const { project, name } = parseReference(args.name);
    return (project === undefined ? client : client.withProject(project)).volumes.get(name);
  }
}
