import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Wire } from '@dstack/sdk';
import { ProjectCommand } from '../../base/project-command.js';
import { requireJson, requireOne } from '../../base/get-arguments.js';

export default class RunGet extends ProjectCommand {
  static override summary = 'Show a run as JSON';
  static override args = { name: Args.string({ description: 'The run' }) };
  static override enableJsonFlag = true;
  static override flags = {
    id: Flags.string({ summary: 'The id, in the place of the name', helpValue: 'UUID' }),
    json: Flags.boolean({ summary: 'The output is JSON' }),
  };

  async run(): Promise<Wire.Run> {
    const { args, flags } = await this.parse(RunGet);
    requireJson(flags.json);
    const client = await this.connect(flags);
    const one = requireOne(args.name, flags.id);
    return 'id' in one ? client.runs.getById(one.id) : client.runs.get(one.name);
  }
}
