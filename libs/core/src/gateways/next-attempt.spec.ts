import { nextAttempt } from './next-attempt.js';

const DAY = 86_400_000;
const current = { notBefore: 0, expiresAt: 90 * DAY };

it.each([
  ['the first one at once', { current: null, failures: 0, lastFailure: null }, 0],
  ['the next one when two thirds have passed', { current, failures: 0, lastFailure: null }, 60 * DAY],
  [
    'a name that leads nowhere soon again',
    { current: null, failures: 9, lastFailure: { at: 5, kind: 'name' } },
    15_005,
  ],
  ['a refusal later', { current: null, failures: 1, lastFailure: { at: 5, kind: 'other' } }, 30_005],
  ['many refusals once an hour', { current: null, failures: 50, lastFailure: { at: 5, kind: 'other' } }, 3_600_005],
  ['a limit in an hour', { current: null, failures: 1, lastFailure: { at: 5, kind: 'limit' } }, 3_600_005],
] as const)('%s', (_what, facts, at) => expect(nextAttempt(facts)).toBe(at));
