import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Wire } from '@dstack/sdk';
import { parseReference, requireJson } from '../../base/get-arguments.js';
import { ProjectCommand } from '../../base/project-command.js';

export default class GatewayGet extends ProjectCommand {
  static override summary = 'Show a gateway as JSON';
  static override args = { name: Args.string({ description: 'The gateway', required: true }) };
  static override enableJsonFlag = true;
  static override flags = { json: Flags.boolean({ summary: 'The output is JSON' }) };

  async run(): Promise<Wire.Gateway> {
    const { args, flags } = await this.parse(GatewayGet);
    requireJson(flags.json);
    const client = await this.connect(flags);
    const { project, name } = parseReference(args.name);
    return (project === undefined ? client : client.withProject(project)).gateways.get(name);
  }
}
