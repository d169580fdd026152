import * as Args from '@oclif/core/args';
import type { Wire } from '@dstack/sdk';
import { jsonFlag } from '../../base/json-flags.js';
import { ProjectCommand } from '../../base/project-command.js';
import { renderTable } from '../../terminal/table.js';

export default class SecretGet extends ProjectCommand {
  static override summary = 'Show a secret with its value';
  static override enableJsonFlag = true;
  static override args = { name: Args.string({ description: 'The secret', required: true }) };
  static override flags = { ...jsonFlag };

  async run(): Promise<Wire.Secret> {
    const { args, flags } = await this.parse(SecretGet);
    const client = await this.connect(flags);
    const secret = await client.secrets.get(args.name);
    const columns = [{ title: 'NAME' }, { title: 'VALUE' }];
    this.print(
      renderTable(columns, [[secret.name, secret.value ?? '']], {
        width: this.context.width(),
        headPaint: this.context.style.bold,
      }),
    );
    return secret;
  }
}
