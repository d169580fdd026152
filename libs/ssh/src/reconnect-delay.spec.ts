import { reconnectDelayMs } from './reconnect-delay.js';

it.each([
  ['tries again at once, almost', 0, 0, 250],
  ['doubles', 1, 0, 500],
  ['spreads', 1, 0.999, 1_000],
  ['waits half a minute at most', 50, 0.999, 29_985],
])('%s', (_rule, attempt, random, expected) => {
  expect(reconnectDelayMs(attempt, random)).toBe(expected);
});
