import { expect, it } from '@jest/globals';
import { LIMITS } from './limits.js';
import { type PowerOffFacts, powerOffAfterMs } from './power-off-after.js';

const MIN = 60_000;
const machine: PowerOffFacts = { tenure: 'rented', kind: 'hosts', idleLimitMs: 5 * MIN };

it.each<[string, Partial<PowerOffFacts>, number | null]>([
  ['a machine of a cloud', {}, 5 * MIN + LIMITS.serverLostMs],
  ['one that is not kept at all', { idleLimitMs: 0 }, LIMITS.serverLostMs],
  ['one that is kept for ever', { idleLimitMs: null }, null],
  ['a host of your own', { tenure: 'given' }, null],
  ['the machine of the server', { tenure: 'local' }, null],
  ['a container', { kind: 'containers' }, null],
])('%s', (_what, over, expected) => {
  expect(powerOffAfterMs({ ...machine, ...over })).toBe(expected);
});
