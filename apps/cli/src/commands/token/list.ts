import * as Flags from '@oclif/core/flags';
import type { TokenInfo } from '@dstack/sdk';
import { jsonFlag } from '../../base/json-flags.js';
import { ProjectCommand } from '../../base/project-command.js';
import { relativeTime } from '../../render/relative-time.js';
import { renderTable } from '../../terminal/table.js';

export default class TokenList extends ProjectCommand {
  static override summary = 'List tokens beside the one of a user, without their values';
  static override enableJsonFlag = true;
  static override flags = {
    ...jsonFlag,
    user: Flags.string({ summary: 'Whose; yours when absent', helpValue: 'NAME' }),
  };

  async run(): Promise<{ tokens: TokenInfo[] }> {
    const { flags } = await this.parse(TokenList);
    const client = await this.connect(flags);
    const tokens = await client.users.tokens(flags.user);
    const { style } = this.context;
    const rows = tokens.map((token) => [
      { text: token.name, paint: style.bold },
      { text: relativeTime(token.created_at, this.context.now()), paint: style.secondary },
      { text: token.expired ? 'expired' : (token.expires_at ?? 'never') },
    ]);
    this.print(
      renderTable([{ title: 'NAME' }, { title: 'CREATED' }, { title: 'EXPIRES' }], rows, {
        width: this.context.width(),
        headPaint: style.bold,
      }),
    );
    return { tokens };
  }
}
