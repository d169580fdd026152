import type { Wire } from '@dstack/sdk';
import { jsonFlag } from '../../base/json-flags.js';
import { ProjectCommand } from '../../base/project-command.js';
import { renderTable } from '../../terminal/table.js';

export default class ImportList extends ProjectCommand {
  static override summary = 'List what other projects share with this one';
  static override enableJsonFlag = true;
  static override flags = { ...jsonFlag };

  async run(): Promise<{ project: string; imports: Wire.Import[] }> {
    const { flags } = await this.parse(ImportList);
    const client = await this.connect(flags);
    const imports = await client.imports.list();
    const rows = imports.map(({ export: source }) => [
      { text: `${source.project_name}/${source.name}`, paint: this.context.style.bold },
      source.exported_fleets.map((fleet) => fleet.name).join(', ') || '-',
      (source.exported_gateways ?? []).map((gateway) => gateway.name).join(', ') || '-',
    ]);
    const columns = ['NAME', 'FLEETS', 'GATEWAYS'].map((title) => ({ title }));
    this.print(renderTable(columns, rows, { width: this.context.width(), headPaint: this.context.style.bold }));
    return { project: client.project, imports };
  }
}
