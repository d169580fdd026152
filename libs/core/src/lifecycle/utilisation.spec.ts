import { expect, it } from '@jest/globals';
import { isUnderUtilised, type UtilisationSample } from './utilisation.js';

const NOW = 10_000_000;
const MIN = 60_000;
const policy = { minPercent: 20, windowMs: 5 * MIN };
const samples = (...percents: number[][]): UtilisationSample[] =>
  percents.map((gpuPercents, index) => ({ at: NOW - 5 * MIN + index * MIN, gpuPercents }));

it.each<[string, UtilisationSample[], boolean]>([
  ['a busy GPU is kept', samples([50], [50], [50]), false],
  ['an idle one is not', samples([1], [2], [3]), true],
  ['one busy moment keeps it', samples([1], [90], [1]), false],
  ['one idle GPU among busy ones is enough', samples([90, 1], [90, 1]), true],
  ['no samples say nothing', [], false],
  ['samples that begin too late say nothing', samples([1], [1], [1]).map((sample) => ({ ...sample, at: sample.at + 2 * MIN })), false],
  ['a machine without GPUs is kept', samples([], []), false],
])('%s', (_rule, given, expected) => expect(isUnderUtilised(given, policy, NOW)).toBe(expected)); // prettier-ignore
