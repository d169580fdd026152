import { ConfigurationError } from '@dstack/core/configuration-error';
import { isApiError, isDstackError } from '@dstack/sdk/errors';
import { CliError, EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_USAGE } from './cli-error.js';
import { parseProblem } from './parse-problem.js';
import { variableHint } from './variable-hint.js';

export interface ErrorDescription {
  readonly message: string;
  readonly hint: string | undefined;
  readonly exitCode: number;
  readonly code: string;
}

/** What to tell the user of `dstack COMMAND` about anything thrown. Pure. */
export function describeError(error: unknown, command: string, env: NodeJS.ProcessEnv = {}): ErrorDescription {
  if (error instanceof CliError)
    return { message: error.message, hint: error.hint, exitCode: error.exitCode, code: error.name };
  if (ConfigurationError.is(error)) {
    return {
      message: error.toString(),
      hint: 'Mend the configuration, then try again.',
      exitCode: EXIT_FAILURE,
      code: 'configuration',
    };
  }
  if (isDstackError(error, 'aborted'))
    return { message: 'Interrupted.', hint: undefined, exitCode: EXIT_INTERRUPTED, code: 'interrupted' };
  if (isDstackError(error)) {
    const code = isApiError(error) ? (error.details.code ?? error.kind) : error.kind;
    return {
      message: error.message,
      hint: variableHint(error, env) ?? error.hint ?? genericHint(error.kind),
      exitCode: EXIT_FAILURE,
      code,
    };
  }
  if (isParseError(error)) {
    return { ...parseProblem(error, command), exitCode: EXIT_USAGE, code: 'usage' };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    message,
    hint: 'If this looks like a bug, run again with DSTACK_CLI_LOG_LEVEL=DEBUG and report what it prints.',
    exitCode: EXIT_FAILURE,
    code: 'unexpected',
  };
}

function genericHint(kind: string): string | undefined {
  if (kind === 'not-found') return 'Check the name and the project (--project NAME).';
  return undefined;
}

/** oclif's parser errors: wrong flags, missing arguments. */
function isParseError(error: unknown): error is Error {
  return error instanceof Error && ('parse' in error || 'oclif' in error);
}
