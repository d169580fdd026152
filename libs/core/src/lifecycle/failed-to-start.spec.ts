import { expect, it } from '@jest/globals';
import { type EndedMachine, failedToStart } from './failed-to-start.js';

const ended = (over: Partial<EndedMachine>): EndedMachine => ({
  reason: 'error',
  isMadeForJob: true,
  startedAt: 1,
  hasSpoken: false,
  ...over,
});

it.each<[string, Partial<EndedMachine>, boolean]>([
  ['a machine that failed or vanished while it was starting', {}, true],
  ['one that did not get ready in time', { reason: 'provisioning_timeout' }, true],
  ['one that nobody knows whether it was created', { startedAt: null }, true],
  ['none in an hour is no failed start', { reason: 'provisioning_timeout', startedAt: null }, false],
  ['no offers are none to try again', { reason: 'no_offers', startedAt: null }, false],
  ['what a user ended is not begun anew', { reason: 'terminated_by_user' }, false],
  ['an agent that has spoken may have started the job', { hasSpoken: true }, false],
  ['a machine of the fleet had no job before it was up', { isMadeForJob: false }, false],
])('%s', (_rule, machine, expected) => {
  expect(failedToStart(ended(machine))).toBe(expected);
});
