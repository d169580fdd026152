import type { GatewayRateLimit } from '@dstack/gateway-protocol';
import { limitedPaths, requestsPerMinute } from './rate-limits.js';

const limit = (prefix: string): GatewayRateLimit => ({ prefix, key: { kind: 'ip' }, requestsPerSecond: 1, burst: 0 });
const paths = (...args: Parameters<typeof limitedPaths>): string[] =>
  limitedPaths(...args).map(
    ({ path, match, limit: index }) => `${match === 'exact' ? '=' : ''}${path} ${index ?? '-'}`,
  );

it.each([
  ['no limits', [], null, ['/ -']],
  ['a limit for all', [limit('/')], null, ['/ 0']],
  ['the longest wins', [limit('/'), limit('/v1/'), limit('/v1/chat')], null, ['/ 0', '/v1/ 1', '/v1/chat 2']],
  ['paths without one', [limit('/v1')], null, ['/ -', '/v1 0']],
])('%s', (_what, limits, only, expected) => {
  expect(paths(limits, only)).toEqual(expected);
});

it('only what may be asked is limited, by whatever covers it', () => {
  const only = [
    { path: '/generate', match: 'exact' as const },
    { path: '/v1/', match: 'prefix' as const },
  ];
  expect(paths([limit('/'), limit('/v1/chat'), limit('/admin')], only)).toEqual([
    '=/generate 0',
    '/v1/ 0',
    '/v1/chat 1',
  ]);
  expect(paths([limit('/generate')], only)).toEqual(['=/generate 0', '/v1/ -']);
});

it.each([
  [1 / 60, 1],
  [0.001, 1],
  [10, 600],
])('%f requests a second are %i a minute', (perSecond, perMinute) => {
  expect(requestsPerMinute(perSecond)).toBe(perMinute);
});
