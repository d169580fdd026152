import type { Wire } from '@dstack/sdk';
import { jsonFlag } from '../../base/json-flags.js';
import { ProjectCommand } from '../../base/project-command.js';
import { relativeTime } from '../../render/relative-time.js';
import { renderTable } from '../../terminal/table.js';

export default class ServiceAccountList extends ProjectCommand {
  static override summary = 'List users that are programs';
  static override enableJsonFlag = true;
  static override flags = { ...jsonFlag };

  async run(): Promise<{ service_accounts: Wire.User[] }> {
    const { flags } = await this.parse(ServiceAccountList);
    const client = await this.connect(flags);
    const accounts = await client.users.serviceAccounts();
    const { style } = this.context;
    const rows = accounts.map((account) => [
      { text: account.username, paint: style.bold },
      { text: relativeTime(account.created_at, this.context.now()), paint: style.secondary },
      { text: account.active ? 'yes' : 'no' },
    ]);
    this.print(
      renderTable([{ title: 'NAME' }, { title: 'CREATED' }, { title: 'ACTIVE' }], rows, {
        width: this.context.width(),
        headPaint: style.bold,
      }),
    );
    return { service_accounts: accounts };
  }
}
