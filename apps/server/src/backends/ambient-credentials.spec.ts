import { whyNoAmbientCredentials } from './ambient-credentials.js';

const REFUSED = expect.stringMatching(/^Backend aws: .*DSTACK_DEFAULT_CREDS_DISABLED.*instead of `type: default`$/) as unknown; // prettier-ignore

it.each([
  ['the server allows them', { type: 'aws', creds: { type: 'default' } }, true, null],
  ['the server forbids them', { type: 'aws', creds: { type: 'default' } }, false, REFUSED],
  ['credentials of its own', { type: 'aws', creds: { type: 'access_key' } }, false, null],
  ['no credentials', { type: 'local' }, false, null],
  ['text instead of credentials', { type: 'aws', creds: 'default' }, false, null],
])('%s', (_what, config, ambientCredentials, expected) => {
  expect(whyNoAmbientCredentials(config, { ambientCredentials })).toEqual(expected);
});
