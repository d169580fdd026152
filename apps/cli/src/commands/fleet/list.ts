import * as Flags from '@oclif/core/flags';
import type { Wire } from '@dstack/sdk';
import { jsonFlag } from '../../base/json-flags.js';
import { ProjectCommand } from '../../base/project-command.js';
import { watchText } from '../../base/watch.js';
import { fleetsTable } from '../../render/fleets-table.js';

export default class FleetList extends ProjectCommand {
  static override summary = 'List fleets and their instances';
  static override enableJsonFlag = true;
  static override flags = {
    ...jsonFlag,
    watch: Flags.boolean({ char: 'w', summary: 'Go on showing the fleets as they change' }),
    verbose: Flags.boolean({ char: 'v', summary: 'Show resources, drivers and errors' }),
  };

  async run(): Promise<{ project: string; fleets: Wire.Fleet[] }> {
    const { flags } = await this.parse(FleetList);
    const client = await this.connect(flags);
    const load = () => client.fleets.list({ include_imported: true });
    const draw = (fleets: Wire.Fleet[]) =>
      fleetsTable(fleets, {
        style: this.context.style,
        width: this.context.width(),
        nowMs: this.context.now(),
        verbose: flags.verbose,
        project: client.project,
      });
    if (flags.watch && !this.jsonEnabled()) {
      await watchText(this.context, async () => draw(await load()));
      return { project: client.project, fleets: [] };
    }
    const fleets = await load();
    this.print(draw(fleets));
    return { project: client.project, fleets };
  }
}
