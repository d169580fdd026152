import { expect, it } from '@jest/globals';
import { detachAgainAt, isDetached } from './decide-attachment.js';
import { LIMITS } from './limits.js';
import type { AttachmentFact } from './volume-snapshot.js';

const T = 1_000_000;

it.each<[string, 'done' | 'pending', AttachmentFact['machine'], number | null, boolean]>([
  ['the cloud says so', 'done', 'ready', null, true],
  ['not while it is still leaving', 'pending', 'ready', null, false],
  ['not while an earlier call may still arrive', 'done', 'ready', T - LIMITS.callArrivesMs, false],
  ['when none can any more', 'done', 'ready', T - LIMITS.callArrivesMs - 1, true],
  ['when there is no machine any more for a call to reach', 'done', 'gone', T, true],
  ['not because its machine is gone: that it left is for the cloud to say', 'pending', 'gone', null, false],
])('a volume has left its machine: %s', (_rule, answer, machine, askedAt, expected) => {
  expect(isDetached(answer, { machine }, { askedAt }, T)).toBe(expected);
});

it('asks again when no earlier call can arrive any more, not before: each call may be one that nobody hears of', () => {
  const askedAt = T - 5_000;
  const again = detachAgainAt('done', { askedAt }) ?? 0;
  expect(isDetached('done', { machine: 'ready' }, { askedAt }, again)).toBe(true);
  expect(isDetached('done', { machine: 'ready' }, { askedAt }, again - 1)).toBe(false);
});

it.each<['done' | 'pending', number | null]>([
  ['pending', T - 5_000],
  ['done', null],
])('asks at the usual pace when the answer is %s and the last call without one began at %s', (answer, askedAt) => {
  expect(detachAgainAt(answer, { askedAt })).toBeNull();
});
