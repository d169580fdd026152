import { expect, it } from '@jest/globals';
import {
  arrivalMs,
  type CloudManners,
  type CreateFailure,
  isDefiniteFailure,
  isRefusal,
  isGoneForGood,
  mayHaveMadeMore,
  mayStillArrive,
  mustLookFirst,
} from './create-call.js';

const T = 1_000_000;
const MIN = 60_000;
const token: CloudManners = { idempotency: { kind: 'token' } };
const slowList: CloudManners = { idempotency: { kind: 'lookup', listLagMs: MIN } };

it.each<[string, number | null, CloudManners, number, boolean]>([
  ['was never made', null, token, T, false],
  ['may make a machine while it may take', T, token, T + 2 * MIN, true],
  ['and while what it sent may be under way', T, token, T + 3 * MIN, true],
  ['not after that', T, token, T + 3 * MIN + 1, false],
  ['but a slow list shows it later', T, slowList, T + 4 * MIN, true],
  ['and some die with their caller', T, { ...token, createArrivesMs: 0 }, T + 1, false],
])('a create call without an answer %s', (_rule, askedAt, manners, now, expected) => {
  expect(mayStillArrive({ askedAt }, arrivalMs(manners), now)).toBe(expected);
});

it.each<[string, number | null, CloudManners, boolean]>([
  ['that is the first', null, slowList, false],
  ['after one without an answer', T, slowList, true],
  ['after one that the cloud knows by its token', T, token, false],
  ['after one that the cloud knows by its name', T, { idempotency: { kind: 'name' } }, false],
])('the cloud is searched before a create call, or not: %s', (_rule, askedAt, manners, expected) => {
  expect(mustLookFirst({ askedAt }, manners)).toBe(expected);
});

it.each<[string, CreateFailure | null, number | null, boolean]>([
  ['over when the cloud says so', { kind: 'no-capacity' }, null, true],
  ['over when the cloud does not like it', { kind: 'rejected' }, null, true],
  ['not over after an outage', { kind: 'outage' }, null, false],
  ['not over after too many requests', { kind: 'throttled' }, null, false],
  ['not over when the server itself failed', null, null, false],
  ['over when the key is refused', { kind: 'credentials' }, null, true],
  ['not over when that follows on an earlier call', { kind: 'credentials' }, T - 60 * MIN, false],
  ['not over when an earlier try of it had no answer', { kind: 'no-capacity', afterLostTry: true }, null, false],
  ['not over while an earlier call may still arrive', { kind: 'no-capacity' }, T - MIN, false],
  ['over when none can any more', { kind: 'no-capacity' }, T - 4 * MIN, true],
])('a create call that failed is %s', (_rule, failure, askedAt, expected) => {
  expect(isDefiniteFailure(failure, { askedAt }, T)).toBe(expected);
});

it.each<[string, boolean, number | null, boolean]>([
  ['is known, and every call was answered', true, null, false],
  ['is known, and another call was not answered', true, T - 60 * MIN, true],
  ['is not known', false, null, true],
  ['is not known, and a call was not answered', false, T, true],
])('there may be more when a thing %s', (_rule, isKnown, askedAt, expected) => {
  expect(mayHaveMadeMore(isKnown, { askedAt })).toBe(expected);
});

it.each<[string, boolean, readonly (number | null)[], boolean]>([
  ['was never asked for', false, [], true],
  ['is not there any more', false, [null, null], true],
  ['is there', true, [null], false],
  ['was ended by somebody else while an earlier call had no answer', false, [T - 60 * MIN, null], false],
])('what %s is gone for good, or not', (_rule, isThere, asked, expected) => {
  expect(isGoneForGood(isThere, asked.map((askedAt) => ({ askedAt })))).toBe(expected); // prettier-ignore
});

it.each<[string, CreateFailure | null, boolean]>([
  ['answers it, whatever became of an earlier one', { kind: 'no-capacity' }, true],
  ['answers nothing after a lost try of its own', { kind: 'quota', afterLostTry: true }, false],
  ['that is an outage answers nothing', { kind: 'outage' }, false],
  ['that is no answer of the cloud answers nothing', null, false],
])('what is said to a create call %s', (_rule, failure, expected) => {
  expect(isRefusal(failure)).toBe(expected);
});
