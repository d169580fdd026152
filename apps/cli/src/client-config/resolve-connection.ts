import { CliError } from '../errors/cli-error.js';
import type { ClientConfig } from './client-config.js';

export interface Connection {
  readonly project: string;
  readonly url: string;
  readonly token: string;
}

export interface ConnectionInputs {
  readonly config: ClientConfig;
  readonly env: NodeJS.ProcessEnv;
  readonly projectFlag?: string | undefined;
}

/**
 * Which server and project a command talks to. `DSTACK_SERVER_URL` with `DSTACK_TOKEN` replaces the file; the token alone replaces the
 * configured one. Pure.
 * @throws {CliError}
 */
export function resolveConnection({ config, env, projectFlag }: ConnectionInputs): Connection {
  const url = env['DSTACK_SERVER_URL'];
  const token = env['DSTACK_TOKEN'];
  const name = projectFlag ?? nonEmpty(env['DSTACK_PROJECT']);
  if (replacesFile(env)) {
    if (name !== undefined) return { project: name, url: url ?? '', token: token ?? '' };
    throw new CliError('DSTACK_SERVER_URL and DSTACK_TOKEN are set, but no project is named.', {
      hint: 'Set DSTACK_PROJECT, or pass --project NAME.',
    });
  }
  const project =
    name === undefined
      ? config.projects.find((each) => each.default)
      : config.projects.find((each) => each.name === name);
  if (project) return { project: project.name, url: project.url, token: nonEmpty(token) ?? project.token };
  if (config.projects.length === 0)
    throw new CliError('No project is configured.', {
      hint: 'Add one: dstack project add --name NAME --url URL --token TOKEN (or start a server here: dstack server)',
    });
  const known = config.projects.map((each) => each.name).join(', ');
  if (name === undefined)
    throw new CliError('There is no default project.', {
      hint: `Choose one (${known}): dstack project set-default NAME`,
    });
  throw new CliError(`Project ${name} is not configured.`, {
    hint: `Configured: ${known}. Add it: dstack project add --name ${name} …`,
  });
}

/** Then the file is not even read: it may be broken, or another user's. */
export function replacesFile(env: NodeJS.ProcessEnv): boolean {
  return nonEmpty(env['DSTACK_SERVER_URL']) !== undefined && nonEmpty(env['DSTACK_TOKEN']) !== undefined;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}
