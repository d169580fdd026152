import { Dstack } from '@dstack/sdk';
import * as Flags from '@oclif/core/flags';
import { readClientConfig } from '../client-config/client-config-file.js';
import { type Connection, replacesFile, resolveConnection } from '../client-config/resolve-connection.js';
import type { CliContext } from '../terminal/context.js';
import { slowServerNote } from '../terminal/slow-server-note.js';
import { BaseCommand } from './base-command.js';

/** A command that talks to the server of a project. */
export abstract class ProjectCommand extends BaseCommand {
  static override baseFlags = {
    ...BaseCommand.baseFlags,
    project: Flags.string({
      summary: 'The project; default DSTACK_PROJECT, else the configured default',
      helpValue: 'NAME',
      helpGroup: 'GLOBAL',
    }),
  };

  protected async connect(flags: { project?: string | undefined }): Promise<Dstack> {
    return clientOf(await this.connection(flags), this.context);
  }

  protected async connection(flags: { project?: string | undefined }): Promise<Connection> {
    const { env, home } = this.context;
    const config = replacesFile(env) ? { projects: [] } : await readClientConfig(home);
    return resolveConnection({ config, env, projectFlag: flags.project });
  }
}

export function clientOf(connection: Connection, context: CliContext): Dstack {
  const apiVersion = context.env['DSTACK_CLIENT_API_VERSION'];
  return new Dstack({ ...connection, apiVersion, userAgent: 'dstack-cli', onSlow: slowServerNote(context) });
}
