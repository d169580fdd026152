import { whyNotCreated } from './why-not-created.js';

it.each<[string, (string | null)[], string | null]>([
  ['nothing, where it was tried nowhere', [], null],
  ['what each place said', ['no capacity', 'quota of 0'], 'all 2 offers tried failed: no capacity; quota of 0'],
  ['the one place', ['no capacity'], 'the only offer failed: no capacity'],
  ['the same only once', ['no capacity', 'no capacity'], 'all 2 offers tried failed: no capacity'],
  ['no more than three reasons', ['a', 'b', null, 'c', 'd'], 'all 5 offers tried failed: a; b; c'],
])('of a machine that could not be had people hear %s', (_what, attempts, expected) => {
  expect(whyNotCreated(attempts)).toBe(expected);
});
