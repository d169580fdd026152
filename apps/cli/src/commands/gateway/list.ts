import * as Flags from '@oclif/core/flags';
import type { Wire } from '@dstack/sdk';
import { jsonFlags } from '../../base/json-flags.js';
import { ProjectCommand } from '../../base/project-command.js';
import { watchText } from '../../base/watch.js';
import { gatewaysTable } from '../../render/gateways-table.js';

export default class GatewayList extends ProjectCommand {
  static override summary = 'List gateways';
  static override enableJsonFlag = true;
  static override flags = {
    ...jsonFlags,
    watch: Flags.boolean({ char: 'w', summary: 'Go on showing the gateways as they change' }),
    verbose: Flags.boolean({ char: 'v', summary: 'Show when they were created, and errors' }),
  };

  async run(): Promise<{ project: string; gateways: Wire.Gateway[] }> {
    const { flags } = await this.parse(GatewayList);
    const client = await this.connect(flags);
    const load = () => client.gateways.list({ include_imported: true });
    const draw = (gateways: Wire.Gateway[]) =>
      gatewaysTable(gateways, {
        style: this.context.style,
        width: this.context.width(),
        nowMs: this.context.now(),
        verbose: flags.verbose,
        project: client.project,
      });
    if (flags.watch && !this.jsonEnabled()) {
      await watchText(this.context, async () => draw(await load()));
      return { project: client.project, gateways: [] };
    }
    const gateways = await load();
    this.print(draw(gateways));
    return { project: client.project, gateways };
  }
}
