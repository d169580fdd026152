import { expect, it } from '@jest/globals';
import { type FailedTry, isFinalFailure, troubleAfter } from './trouble.js';

const T = 1_000_000;
const PAUSE = { minMs: 2_000, maxMs: 60_000 };

it.each<[string, number, Partial<FailedTry>, number]>([
  ['soon after the first failure', 0, {}, T + 2_000],
  ['after twice the time each time', 3, {}, T + 16_000],
  ['at the latest after the longest pause', 20, {}, T + 60_000],
  ['not before the cloud wants it', 0, { retryAt: T + 30_000 }, T + 30_000],
  ['no sooner because the cloud would let us', 3, { retryAt: T + 1 }, T + 16_000],
])('what failed is tried again %s', (_rule, before, said, nextTryAt) => {
  const failed = { message: 'no', isFinal: false, ...said };
  const last = before === 0 ? null : { failures: before };
  expect(troubleAfter(failed, last, PAUSE, T)).toEqual({
    failures: before + 1,
    nextTryAt,
    message: 'no',
    isFinal: false,
  });
});

it.each([
  ['rejected', true],
  ['not-found', true],
  ['credentials', true],
  ['quota', true],
  ['no-capacity', true],
  ['throttled', false],
  ['outage', false],
] as const)('a cloud says the same again after %s: %s', (kind, expected) => {
  expect(isFinalFailure(kind)).toBe(expected);
});
