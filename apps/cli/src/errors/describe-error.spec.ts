import { ApiError, type DstackErrorKind } from '@dstack/sdk/errors';
import { describeError } from './describe-error.js';

const refusal = (kind: DstackErrorKind, message: string) =>
  new ApiError(kind, message, { method: 'POST', path: '/x', status: 400, code: undefined, issues: [], requestId: undefined }, 'of the client'); // prettier-ignore

it.each<[string, ApiError, NodeJS.ProcessEnv, string]>([
  ['a token of the configuration', refusal('unauthenticated', 'Invalid token'), {}, 'of the client'],
  ['a token of the environment', refusal('unauthenticated', 'Invalid token'), { DSTACK_TOKEN: 't' }, 'The token is that of DSTACK_TOKEN: correct the variable, or unset it to use your configuration.'],
  ['another refusal', refusal('forbidden', 'Access denied'), { DSTACK_TOKEN: 't' }, 'of the client'],
  ['a version of the environment', refusal('invalid', 'Invalid version: abc'), { DSTACK_CLIENT_API_VERSION: 'abc' }, 'The version is that of DSTACK_CLIENT_API_VERSION: correct the variable, or unset it.'],
])('the refusal of %s says what to mend', (_what, error, env, hint) => {
  expect(describeError(error, 'ps', env)).toMatchObject({ message: error.message, hint });
}); // prettier-ignore
