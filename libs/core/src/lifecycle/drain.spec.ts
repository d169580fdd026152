import { expect, it } from '@jest/globals';
import type * as Wire from '../wire/generated/api.js';
import { drainLimitMs } from './drain.js';
import { LIMITS } from './limits.js';

it.each<[string, Pick<Wire.ServiceConfiguration, 'stop_duration'>, number]>([
  ['as long as it may take to stop', { stop_duration: 10 }, 10_000],
  ['within reason', { stop_duration: 1_000_000 }, LIMITS.drainMs],
  ['within reason where it may take for ever to stop', { stop_duration: 'off' }, LIMITS.drainMs],
  ['as any job where nothing is said', {}, Math.min(300_000, LIMITS.drainMs)],
])('a replica may take to answer what it has got: %s', (_rule, said, expected) => {
  expect(drainLimitMs({ configuration: { type: 'service', port: 80, ...said }, profile: null })).toBe(expected);
});
