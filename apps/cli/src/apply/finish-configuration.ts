import { interpolateRunConfiguration, resolveEnvSentinels, type RunConfiguration } from '@dstack/core';
import { CliError } from '../errors/cli-error.js';
import { shellJoin } from './shell-join.js';

export interface FinishInputs {
  readonly env: NodeJS.ProcessEnv;
  readonly runArgs: readonly string[];
}

/** What only the client can fill in: the caller's environment and arguments. @throws {ConfigurationError | CliError} */
export function finishConfiguration(configuration: RunConfiguration, inputs: FinishInputs): RunConfiguration {
  if (inputs.runArgs.length > 0 && configuration.type === 'dev-environment')
    throw new CliError('A dev environment takes no arguments.', { hint: 'Leave out what follows --' });
  const resolved = resolveEnvSentinels(configuration, inputs.env);
  const directory = resolved.working_dir;
  if (typeof directory === 'string' && !directory.startsWith('/') && !directory.startsWith('~'))
    throw new CliError(`working_dir ${directory} is relative.`, {
      hint: 'Write an absolute path, or one that begins with ~.',
    });
  return interpolateRunConfiguration(resolved, { env: resolved.env, runArgs: shellJoin(inputs.runArgs) });
}
