import { describe, expect, it, jest } from '@jest/globals';
import { NO_FAULTS } from '../src/faults.js';
import { simulate } from '../src/simulate.js';

jest.setTimeout(120_000);

describe('the simulation', () => {
  it('tells the same story for the same seed', async () => {
    const [one, two] = [await simulate({ seed: 3, runs: 2 }), await simulate({ seed: 3, runs: 2 })];
    expect(one.story.length).toBeGreaterThan(50);
    expect(two).toEqual(one);
  });

  it('ends without faults, and without a crash', async () => {
    const result = await simulate({ seed: 1, runs: 2, faults: NO_FAULTS });
    expect(result).toMatchObject({ violations: [], crashes: 0 });
    expect(result.runs).toBeGreaterThanOrEqual(4);
  });

  // With a create call that is not marked before it is made (4, 8), or not settled before it is given up (5, 16), these leak machines;
  // with an answer taken for the last word of an attempt that another server still asks for (1063, 1241), too; with a host that nobody
  // remembers to have visited (88, 90), an agent stays behind.
  it.each([4, 5, 8, 16, 88, 90, 1063, 1241])(
    'seed %i: nothing leaks, nothing runs twice, everything ends',
    async (seed) => {
      expect((await simulate({ seed })).violations).toEqual([]);
    },
  );

  // `npm run sim -- --every-point` tries all of them.
  it('a server may crash after any write and between any call and its answer', async () => {
    const story = { seed: 1, runs: 1, faults: NO_FAULTS };
    const { crashPoints } = await simulate({ ...story, crashAt: 0 });
    expect(crashPoints).toBeGreaterThan(100);
    for (let crashAt = 1; crashAt <= crashPoints; crashAt += Math.ceil(crashPoints / 12)) {
      expect(await simulate({ ...story, crashAt })).toMatchObject({ violations: [], crashes: 1 });
    }
  });
});
