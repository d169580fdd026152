import type { Wire } from '@dstack/core';
import { jsonFlag } from '../../base/json-flags.js';
import { ProjectCommand } from '../../base/project-command.js';
import { relativeTime } from '../../render/relative-time.js';
import { renderTable } from '../../terminal/table.js';

export default class SshKeyList extends ProjectCommand {
  static override summary = 'List your public SSH keys, which open your jobs through an SSH proxy';
  static override enableJsonFlag = true;
  static override flags = { ...jsonFlag };

  async run(): Promise<{ keys: Wire.PublicKeyInfo[] }> {
    const { flags } = await this.parse(SshKeyList);
    const keys = await (await this.connect(flags)).users.publicKeys();
    const { style } = this.context;
    const rows = keys.map((key) => [
      { text: key.name, paint: style.bold },
      { text: key.type },
      { text: key.fingerprint },
      { text: relativeTime(key.added_at, this.context.now()), paint: style.secondary },
    ]);
    this.print(
      renderTable([{ title: 'NAME' }, { title: 'TYPE' }, { title: 'FINGERPRINT' }, { title: 'ADDED' }], rows, {
        width: this.context.width(),
        headPaint: style.bold,
      }),
    );
    return { keys };
  }
}
