import { isDstackError } from '@dstack/sdk/errors';

/** A server that refuses what a variable says cannot know of the variable. Pure. */
export function variableHint(error: unknown, env: NodeJS.ProcessEnv): string | undefined {
  if (isDstackError(error, 'unauthenticated') && isSet(env['DSTACK_TOKEN']))
    return 'The token is that of DSTACK_TOKEN: correct the variable, or unset it to use your configuration.';
  if (
    isDstackError(error, 'invalid') &&
    /^Invalid version/.test(error.message) &&
    isSet(env['DSTACK_CLIENT_API_VERSION'])
  )
    return 'The version is that of DSTACK_CLIENT_API_VERSION: correct the variable, or unset it.';
  return undefined;
}

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';
