import { LIMITS } from './limits.js';
import { terminateAgain } from './terminate-again.js';

const T = 1_000_000;
const { terminateRetryMinMs: SHORTEST, terminateRetryMaxMs: LONGEST } = LIMITS;

it.each([
  ['soon after the first call', 0, SHORTEST],
  ['later after each', 1, 2 * SHORTEST],
  ['and later', 2, 4 * SHORTEST],
  ['but never seldom', 60, LONGEST],
])('a machine that is not gone yet is terminated again %s', (_when, terminateFailures, pauseMs) => {
  expect(terminateAgain({ terminateFailures }, T)).toEqual({
    terminateFailures: terminateFailures + 1,
    nextTerminateAt: T + pauseMs,
  });
});
