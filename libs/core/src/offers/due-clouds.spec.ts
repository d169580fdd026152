import { dueClouds, type PriceListTries } from './due-clouds.js';

const HOUR = 3_600_000;
const WEEK = 168 * HOUR;
const NOW = 1_000 * HOUR;

const state = (rest: Partial<PriceListTries>): PriceListTries => ({
  cloud: 'aws',
  triedAt: null,
  failures: 0,
  wanted: null,
  ...rest,
});

it.each<[string, PriceListTries | null, number | null, boolean]>([
  ['was never read', null, WEEK, true],
  ['was read a week ago', state({ triedAt: NOW - WEEK }), WEEK, true],
  ['was read a little later', state({ triedAt: NOW - WEEK + 1 }), WEEK, false],
  ['failed an hour ago', state({ triedAt: NOW - HOUR, failures: 1 }), WEEK, true],
  ['failed less than an hour ago', state({ triedAt: NOW - HOUR + 1, failures: 1 }), WEEK, false],
  ['failed for the third time three hours ago', state({ triedAt: NOW - 3 * HOUR, failures: 3 }), WEEK, false],
  ['fails for weeks', state({ triedAt: NOW - 24 * HOUR, failures: 40 }), WEEK, true],
  ['failed, where it is read every minute', state({ triedAt: NOW - 60_000, failures: 3 }), 60_000, true],
  ['is wanted now', state({ triedAt: NOW, wanted: 'due' }), WEEK, true],
  ['is never read by itself', null, null, false],
  ['is never read by itself, and wanted now', state({ wanted: 'forced' }), null, true],
])('a cloud whose list %s is due or not', (_what, known, intervalMs, isDue) => {
  expect(dueClouds(['aws'], known === null ? [] : [known], NOW, intervalMs)).toEqual(isDue ? ['aws'] : []);
});

it('a cloud that nobody uses is not asked, whatever is known of it', () => {
  expect(dueClouds(['gcp'], [state({ triedAt: 0 })], NOW, WEEK)).toEqual(['gcp']);
});
