import { expect, it } from '@jest/globals';
import { costUsd, type HeldMachine, heldInterval, within } from './cost.js';

const HOUR = 3_600_000;
const held = (over: Partial<HeldMachine> = {}): HeldMachine => ({
  priced: { priceUsdPerHour: 2, from: 0, until: 10 * HOUR },
  heldFrom: 0,
  heldUntil: 10 * HOUR,
  share: 1,
  failedToStart: false,
  ...over,
});

it.each<[string, HeldMachine, number]>([
  ['a machine of its own, from the first minute to the last', held(), 20],
  ['one that others had before it and have after it', held({ heldFrom: 2 * HOUR, heldUntil: 5 * HOUR }), 6],
  ['a share of one', held({ share: 0.25 }), 5],
  ['one that it waited for', held({ heldFrom: -5 * HOUR }), 20],
  ['one that it still has', held({ priced: { priceUsdPerHour: 2, from: 0, until: null }, heldUntil: null }), 40],
  ['one that was gone before it was over', held({ priced: { priceUsdPerHour: 2, from: 0, until: HOUR } }), 2],
  ['one that never started, until it is gone', held({ failedToStart: true, heldFrom: 0, heldUntil: HOUR, share: 0.5 }), 20],
  ['none: it came after its end', held({ heldFrom: -2 * HOUR, heldUntil: -HOUR }), 0],
])('a job pays for %s', (_what, machine, usd) => {
  expect(costUsd([heldInterval(machine)], 20 * HOUR)).toBe(usd);
}); // prettier-ignore

it.each([
  [{ since: 0, until: 20 * HOUR }, 20],
  [{ since: 9 * HOUR, until: 20 * HOUR }, 2],
  [{ since: 11 * HOUR, until: 20 * HOUR }, 0],
])('only what was within %o counts', (time, usd) => {
  expect(costUsd([within(held().priced, time)], 30 * HOUR)).toBe(usd);
});
