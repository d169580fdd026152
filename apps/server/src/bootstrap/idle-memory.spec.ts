import { expect, it } from '@jest/globals';
import { isTimeToGiveBack, type Look } from './idle-memory.js';

const MB = 1024 ** 2;
const quiet: Look = { share: 0.01, wasQuiet: true, residentBytes: 300 * MB, leastBytes: 120 * MB };

it.each<[string, Look, boolean]>([
  ['gives back what a burst has left', quiet, true],
  ['does so once after the start', { ...quiet, leastBytes: null }, true],
  ['waits while there is work', { ...quiet, share: 0.5 }, false],
  ['waits until it has been quiet for a while', { ...quiet, wasQuiet: false }, false],
  ['does not stop the server for little', { ...quiet, residentBytes: 150 * MB }, false],
])('%s', (_rule, look, expected) => expect(isTimeToGiveBack(look)).toBe(expected));
