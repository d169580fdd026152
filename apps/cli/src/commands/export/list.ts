import type { Wire } from '@dstack/sdk';
import { jsonFlag } from '../../base/json-flags.js';
import { ProjectCommand } from '../../base/project-command.js';
import { renderTable } from '../../terminal/table.js';

export default class ExportList extends ProjectCommand {
  static override summary = 'List what this project shares with others';
  static override enableJsonFlag = true;
  static override flags = { ...jsonFlag };

  async run(): Promise<{ project: string; exports: Wire.Export[] }> {
    const { flags } = await this.parse(ExportList);
    const client = await this.connect(flags);
    const exports = await client.exports.list();
    const rows = exports.map((each) => [
      { text: each.name, paint: this.context.style.bold },
      each.exported_fleets.map((fleet) => fleet.name).join(', ') || '-',
      (each.exported_gateways ?? []).map((gateway) => gateway.name).join(', ') || '-',
      each.is_global ? '*' : each.imports.map((project) => project.project_name).join(', ') || '-',
    ]);
    const columns = ['NAME', 'FLEETS', 'GATEWAYS', 'IMPORTERS'].map((title) => ({ title }));
    this.print(renderTable(columns, rows, { width: this.context.width(), headPaint: this.context.style.bold }));
    return { project: client.project, exports };
  }
}
