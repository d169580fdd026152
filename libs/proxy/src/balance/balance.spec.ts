import { chooseReplica } from './choose-replica.js';
import { type FailedAt, mayRetry } from './may-retry.js';
import { afterFailure, HEALTHY } from './replica-health.js';

const candidate = (id: string, inFlight: number, avoidedUntil = 0) => ({
  id,
  inFlight,
  health: { failures: 0, avoidedUntil },
});
const choose = (all: ReturnType<typeof candidate>[], tried: string[] = [], random = 0) =>
  chooseReplica(all, new Set(tried), 100, () => random)?.id ?? null;

it.each([
  ['the fewest requests', [candidate('a', 2), candidate('b', 1)], [], 'b'],
  ['one that was not tried', [candidate('a', 0), candidate('b', 5)], ['a'], 'b'],
  ['one that is well', [candidate('a', 0, 200), candidate('b', 5)], [], 'b'],
  ['an ill one where there is no other', [candidate('a', 0, 200)], [], 'a'],
  ['none that is left', [candidate('a', 0)], ['a'], null],
  ['none at all', [], [], null],
])('takes %s', (_what, all, tried, chosen) => expect(choose(all, tried)).toBe(chosen));

it('spreads over equals', () => {
  const equals = ['a', 'b', 'c'].map((id) => candidate(id, 1));
  expect([0, 0.4, 0.99].map((random) => choose(equals, [], random))).toEqual(['a', 'b', 'c']);
});

it('is avoided for longer with each failure, up to ten seconds', () => {
  const times = [1, 2, 3, 4, 5, 6, 7].reduce(
    (all) => [...all, afterFailure(all.at(-1) ?? HEALTHY, 0)],
    [] as (typeof HEALTHY)[],
  );
  expect(times.map(({ avoidedUntil }) => avoidedUntil)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

it.each<[string, FailedAt, boolean, boolean]>([
  ['GET', 'connect', true, true],
  ['POST', 'connect', true, true],
  ['POST', 'connect', false, false],
  ['GET', 'sent', true, true],
  ['POST', 'sent', true, false],
  ['DELETE', 'sent', true, false],
  ['GET', 'answered', true, false],
])('%s that failed at %s with its body kept %s is asked again: %s', (method, at, kept, again) => {
  expect(mayRetry(method, at, kept)).toBe(again);
});
