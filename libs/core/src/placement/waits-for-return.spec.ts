import { fleet, group, instance } from '../../test/placement-builders.js';
import type { PlacementInstance } from './placement-input.js';
import { waitsForReturn } from './waits-for-return.js';

const MINUTE = 60_000;
const NOW = 10 * MINUTE;
const lost = (more: Partial<PlacementInstance> = {}): PlacementInstance => ({
  ...instance(),
  unreachable: true,
  unreachableSince: NOW - MINUTE,
  ...more,
});
const waits = (...instances: PlacementInstance[]): boolean =>
  waitsForReturn(group(), { instances, fleets: [fleet()], absent: [] }, { now: NOW, patienceMs: 2 * MINUTE });

describe('a job for which there is no place', () => {
  it.each<[string, boolean, PlacementInstance[]]>([
    ['waits for a machine that was lost a moment ago', true, [lost()]],
    ['waits for one that is not connected yet', true, [lost({ unreachableSince: null })]],
    ['does not wait for one that has been away for long', false, [lost({ unreachableSince: NOW - 2 * MINUTE })]],
    ['does not wait for one that would not take it', false, [lost({ status: 'busy', busyBlocks: 1 })]],
    ['does not wait without such a machine', false, []],
  ])('%s', (_rule, expected, instances) => {
    expect(waits(...instances)).toBe(expected);
  });
});
