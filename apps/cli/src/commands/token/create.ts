import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { NewToken } from '@dstack/sdk';
import { jsonFlag } from '../../base/json-flags.js';
import { ProjectCommand } from '../../base/project-command.js';
import { UsageError } from '../../errors/cli-error.js';
import { parseDuration } from '../../render/duration.js';

export default class TokenCreate extends ProjectCommand {
  static override summary = 'Make a further token, which may expire; it is printed this once';
  static override enableJsonFlag = true;
  static override examples = [
    'dstack token create laptop --expires 30d',
    'dstack token create ci --user builder --expires 90d',
  ];
  static override args = { name: Args.string({ description: 'What it is called', required: true }) };
  static override flags = {
    ...jsonFlag,
    user: Flags.string({ summary: 'Whose; yours when absent', helpValue: 'NAME' }),
    expires: Flags.string({ summary: 'After that it is refused, such as 12h or 30d; never when absent' }),
  };

  async run(): Promise<NewToken> {
    const { args, flags } = await this.parse(TokenCreate);
    const client = await this.connect(flags);
    const expiresIn = flags.expires === undefined ? undefined : seconds(flags.expires);
    const created = await client.users.createToken({ name: args.name, username: flags.user, expires_in: expiresIn });
    this.print(created.token);
    this.note(
      `It is not shown again. ${created.expires_at === null ? 'It does not expire.' : `It expires ${created.expires_at}.`}`,
    );
    return created;
  }
}

function seconds(text: string): number {
  const found = parseDuration(text);
  if (found !== undefined && found >= 1) return Math.floor(found);
  throw new UsageError(`--expires ${text} is no duration.`, 'Examples: --expires 12h, --expires 30d');
}
