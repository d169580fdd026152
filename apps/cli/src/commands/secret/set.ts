import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ProjectCommand } from '../../base/project-command.js';
import { UsageError } from '../../errors/cli-error.js';

export default class SecretSet extends ProjectCommand {
  static override summary = 'Create or change a secret';
  static override examples = [
    'dstack secret set hf_token --from-env HF_TOKEN',
    'dstack secret set ssh_key < ~/.ssh/id_ed25519',
  ];
  static override args = {
    name: Args.string({ description: 'The secret', required: true }),
    value: Args.string({
      description: 'Its value; better from standard input: arguments stay in the history of the shell',
    }),
  };
  static override flags = {
    'from-env': Flags.string({ summary: 'Take the value of this environment variable', helpValue: 'NAME' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SecretSet);
    const client = await this.connect(flags);
    await client.secrets.set(args.name, await this.value(args.value, flags['from-env']));
    this.print('OK');
  }

  private async value(given: string | undefined, variable: string | undefined): Promise<string> {
    if (given !== undefined && given !== '-') return given;
    if (variable !== undefined) {
      const value = this.context.env[variable];
      if (value === undefined)
        throw new UsageError(`${variable} is not set.`, 'Set it, or pass the value on standard input.');
      return value;
    }
    if (process.stdin.isTTY)
      throw new UsageError(
        'There is no value.',
        'Pass it on standard input, with --from-env NAME, or as the second argument.',
      );
    const chunks: Uint8Array[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
    const value = Buffer.concat(chunks)
      .toString('utf8')
      .replace(/\r?\n$/, '');
    if (value === '')
      throw new UsageError('Standard input is empty: there is no value.', 'An empty one on purpose: pass "" as VALUE.');
    return value;
  }
}
