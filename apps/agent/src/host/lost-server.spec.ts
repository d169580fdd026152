import { isServerLost, type Quiet, resumeQuiet } from './lost-server.js';

const HOUR = 3600;
const quiet = (over: Partial<Quiet> = {}): Quiet => ({ afterSeconds: HOUR, bootId: 'a', sinceSeconds: 1000, ...over });

it.each([
  ['a moment ago', 1001, false],
  ['nearly long enough ago', 1000 + HOUR - 1, false],
  ['long enough ago', 1000 + HOUR, true],
])('a server seen %s', (_when, seconds, expected) => {
  expect(isServerLost(quiet(), { bootId: 'a', seconds })).toBe(expected);
});

it.each([
  ['goes on where the one before it was', quiet(), { bootId: 'a', seconds: 2000 }, 1000],
  ['waits for a server that could not connect to it', quiet(), { bootId: 'a', seconds: 50 * HOUR }, 50 * HOUR - HOUR + 600],
  ['waits no longer than it would have', quiet({ afterSeconds: 60 }), { bootId: 'a', seconds: 50 * HOUR }, 50 * HOUR],
  ['begins anew after a reboot', quiet({ sinceSeconds: 90 * HOUR }), { bootId: 'b', seconds: 30 }, 0],
])('an agent that starts %s', (_rule, before, now, sinceSeconds) => {
  expect(resumeQuiet(before, now)).toEqual({ afterSeconds: before.afterSeconds, bootId: now.bootId, sinceSeconds });
}); // prettier-ignore
