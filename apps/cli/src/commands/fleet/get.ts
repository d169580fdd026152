import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Wire } from '@dstack/sdk';
import { parseReference, requireJson, requireOne } from '../../base/get-arguments.js';
import { ProjectCommand } from '../../base/project-command.js';

export default class FleetGet extends ProjectCommand {
  static override summary = 'Show a fleet as JSON';
  static override args = { name: Args.string({ description: 'The fleet: NAME or PROJECT/NAME' }) };
  static override enableJsonFlag = true;
  static override flags = {
    id: Flags.string({ summary: 'The id, in the place of the name', helpValue: 'UUID' }),
    json: Flags.boolean({ summary: 'The output is JSON' }),
  };

  async run(): Promise<Wire.Fleet> {
    const { args, flags } = await this.parse(FleetGet);
    requireJson(flags.json);
    const client = await this.connect(flags);
    const one = requireOne(args.name, flags.id);
    if ('id' in one) return client.fleets.get({ id: one.id });
    const { project, name } = parseReference(one.name);
    return (project === undefined ? client : client.withProject(project)).fleets.get({ name });
  }
}
