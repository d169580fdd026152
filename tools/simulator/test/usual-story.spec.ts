import { describe, expect, it } from '@jest/globals';
import { FAULTS, NO_FAULTS } from '../src/faults.js';
import { usualStory } from '../src/usual-story.js';

const STORIES = Array.from({ length: 200 }, (_story, seed) => usualStory(seed));

describe('the usual story of a seed', () => {
  it('is always the same', () => {
    expect(usualStory(7)).toEqual(usualStory(7));
  });

  it.each(['services', 'volumes', 'gateways'] as const)('has %s now and then', (what) => {
    expect(new Set(STORIES.map((story) => story[what]))).toEqual(new Set([0, 1]));
  });

  it('has one to four tasks for each project', () => {
    expect([...new Set(STORIES.map(({ runs }) => runs))].sort()).toEqual([1, 2, 3, 4]);
  });

  it.each(Object.keys(FAULTS) as (keyof typeof FAULTS)[])('%s happens as usual, or not at all, and mostly', (fault) => {
    const present = STORIES.filter(({ faults }) => faults[fault] === FAULTS[fault]);
    const absent = STORIES.filter(({ faults }) => faults[fault] === NO_FAULTS[fault]);
    expect(present.length + absent.length).toBe(STORIES.length);
    expect(present.length).toBeGreaterThan(absent.length);
  });

  it('has no longer outages where no server crashes: what has one cause comes together', () => {
    for (const { faults } of STORIES) expect(faults.crash === 0).toBe(faults.longOutage === 0);
  });
});
