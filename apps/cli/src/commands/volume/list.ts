import * as Flags from '@oclif/core/flags';
import type { Wire } from '@dstack/sdk';
import { jsonFlag } from '../../base/json-flags.js';
import { ProjectCommand } from '../../base/project-command.js';
import { watchText } from '../../base/watch.js';
import { volumesTable } from '../../render/volumes-table.js';

export default class VolumeList extends ProjectCommand {
  static override summary = 'List volumes';
  static override enableJsonFlag = true;
  static override flags = {
    ...jsonFlag,
    watch: Flags.boolean({ char: 'w', summary: 'Go on showing the volumes as they change' }),
    verbose: Flags.boolean({ char: 'v', summary: 'Show regions, attachments and errors' }),
  };

  async run(): Promise<{ project: string; volumes: Wire.Volume[] }> {
    const { flags } = await this.parse(VolumeList);
    const client = await this.connect(flags);
    const draw = (volumes: Wire.Volume[]) =>
      volumesTable(volumes, {
        style: this.context.style,
        width: this.context.width(),
        nowMs: this.context.now(),
        verbose: flags.verbose,
      });
    if (flags.watch && !this.jsonEnabled()) {
      await watchText(this.context, async () => draw(await client.volumes.list()));
      return { project: client.project, volumes: [] };
    }
    const volumes = await client.volumes.list();
    this.print(draw(volumes));
    return { project: client.project, volumes };
  }
}
