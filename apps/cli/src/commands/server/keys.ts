import * as Args from '@oclif/core/args';
import { BaseCommand } from '../../base/base-command.js';
import { runServerOperation } from '../../server/load-server.js';

export default class ServerKeys extends BaseCommand {
  static override summary = 'The keys that values in the database are encrypted with';
  static override description =
    'add NAME: servers can read with it. rotate NAME: servers encrypt with it. re-encrypt: everything stored, with the first key. ' +
    'retire NAME: servers do without it.';
  static override examples = [
    'dstack server keys',
    'dstack server keys rotate key2',
    'dstack server keys re-encrypt',
    'dstack server keys retire key1',
  ];
  static override args = {
    action: Args.string({
      description: 'What to do',
      options: ['list', 'add', 'rotate', 're-encrypt', 'retire'],
      default: 'list',
    }),
    name: Args.string({ description: 'The key' }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(ServerKeys);
    await runServerOperation(['keys', args.action, ...(args.name === undefined ? [] : [args.name])]);
  }
}
