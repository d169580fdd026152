import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../base/base-command.js';
import { CliError } from '../errors/cli-error.js';
import { loadServer } from '../server/load-server.js';

export default class Server extends BaseCommand {
  static override summary = 'Start a server';
  // What is not given here the server reads from its own variables, and names them where they are wrong.
  static override flags = {
    host: Flags.string({ summary: 'Address to listen on (DSTACK_SERVER_HOST, default 127.0.0.1)' }),
    port: Flags.string({ char: 'p', summary: 'Port to listen on (DSTACK_SERVER_PORT, default 3000)' }),
    'log-level': Flags.string({
      char: 'l',
      summary: 'Log level (DSTACK_SERVER_LOG_LEVEL, default INFO)',
      exclusive: ['debug'],
    }),
    debug: Flags.boolean({ char: 'd', summary: 'Same as --log-level DEBUG' }),
    yes: Flags.boolean({
      char: 'y',
      summary: 'Make this server the default project main of your configuration',
      exclusive: ['no'],
    }),
    no: Flags.boolean({ char: 'n', summary: 'Leave your configuration as it is' }),
    token: Flags.string({
      summary: 'The admin token (DSTACK_SERVER_ADMIN_TOKEN); generated when absent',
      noCacheDefault: true,
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Server);
    const server = await loadServer();
    // By the environment: the token never stands on a command line.
    if (flags.token !== undefined) process.env['DSTACK_SERVER_ADMIN_TOKEN'] = flags.token;
    const client = flags.yes ? '--yes' : flags.no ? '--no' : '--config-client';
    const level = flags.debug ? 'DEBUG' : flags['log-level'];
    const given = { '--host': flags.host, '--port': flags.port, '--log-level': level };
    try {
      await server.main([
        client,
        ...Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
      ]);
    } catch (error) {
      const message = server.describeStartError?.(error) ?? (error instanceof Error ? error.message : String(error));
      throw new CliError(message, { hint: 'The server did not start.', cause: error });
    }
  }
}
