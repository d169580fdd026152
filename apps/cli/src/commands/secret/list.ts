import type { Wire } from '@dstack/sdk';
import { jsonFlag } from '../../base/json-flags.js';
import { ProjectCommand } from '../../base/project-command.js';
import { renderTable } from '../../terminal/table.js';

export default class SecretList extends ProjectCommand {
  static override summary = 'List secrets, without their values';
  static override enableJsonFlag = true;
  static override flags = { ...jsonFlag };

  async run(): Promise<{ project: string; secrets: Wire.Secret[] }> {
    const { flags } = await this.parse(SecretList);
    const client = await this.connect(flags);
    const secrets = await client.secrets.list();
    const { style } = this.context;
    const rows = secrets.map((secret) => [
      { text: secret.name, paint: style.bold },
      { text: '******', paint: style.secondary },
    ]);
    this.print(
      renderTable([{ title: 'NAME' }, { title: 'VALUE' }], rows, {
        width: this.context.width(),
        headPaint: style.bold,
      }),
    );
    return { project: client.project, secrets };
  }
}
