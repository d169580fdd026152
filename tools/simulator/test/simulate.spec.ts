import { describe, expect, it, jest } from '@jest/globals';
import { NO_FAULTS } from '../src/faults.js';
import { simulate } from '../src/simulate.js';
import { usualStory } from '../src/usual-story.js';
import {
  SEEDS_THAT_ONCE_FAILED,
  SEEDS_WITH_SERVICES_THAT_ONCE_FAILED,
  SEEDS_WITH_VOLUMES_THAT_ONCE_FAILED,
  USUAL_SEEDS_THAT_ONCE_FAILED,
} from './seeds.js';

jest.setTimeout(120_000);

describe('the simulation', () => {
  it('tells the same story for the same seed', async () => {
    const story = { seed: 3, runs: 2, trace: true };
    const [one, two] = [await simulate(story), await simulate(story)];
    expect(one.story.length).toBeGreaterThan(50);
    expect(two).toEqual(one);
  });

  it('ends without faults, and without a crash', async () => {
    const result = await simulate({ seed: 1, runs: 2, faults: NO_FAULTS });
    expect(result).toMatchObject({ violations: [], crashes: 0, replicas: 1 });
    expect(result.runs).toBeGreaterThanOrEqual(4);
  });

  it.each(SEEDS_THAT_ONCE_FAILED)('seed %i: %s', async (seed) => {
    expect((await simulate({ seed })).violations).toEqual([]);
  });

  it.each(SEEDS_WITH_SERVICES_THAT_ONCE_FAILED)('with services, seed %i: %s', async (seed) => {
    expect((await simulate({ seed, runs: 4, services: 1 })).violations).toEqual([]);
  });
  it.each(SEEDS_WITH_VOLUMES_THAT_ONCE_FAILED)('with volumes, seed %i: %s', async (seed) => {
    expect((await simulate({ seed, runs: 4, services: 1, volumes: 1 })).violations).toEqual([]);
  });

  it.each(USUAL_SEEDS_THAT_ONCE_FAILED)('as it is usually told, seed %i: %s', async (seed) => {
    expect((await simulate({ seed, ...usualStory(seed) })).violations).toEqual([]);
  });

  it.each([2, 12])('services keep their promises, seed %i', async (seed) => {
    expect((await simulate({ seed, runs: 1, services: 2 })).violations).toEqual([]);
  });

  it('a disk is made once where two servers believe that no call is under way', async () => {
    expect((await simulate({ seed: 141, volumes: 1 })).violations).toEqual([]);
  });

  it('network volumes are with their jobs, and let go of', async () => {
    expect((await simulate({ seed: 6, runs: 0, volumes: 2 })).violations).toEqual([]);
  });

  it.each([1, 4])('gateways serve what runs, and none is left, seed %i', async (seed) => {
    expect((await simulate({ seed, runs: 1, gateways: 1 })).violations).toEqual([]);
  });

  it('a create call that arrives when the machine of its name has vanished leaves none behind', async () => {
    expect((await simulate({ seed: 19, creates: 'name' })).violations).toEqual([]);
  });

  // `npm run sim -- --creates 10000` tells many.
  it('makes no second machine and forgets none, however its create calls go; what comes too late is ended and told', async () => {
    expect(await simulate({ seed: 4, creates: 'token' })).toMatchObject({ violations: [], creates: { strays: 0 } });
    const late = await simulate({ seed: 5, creates: 'lookup' });
    expect(late.violations).toEqual([]);
    expect(late.creates.strays).toBeGreaterThan(0);
  });

  // `npm run sim -- --every-point 1` tries all of them.
  it('a server may crash after any write and between any call and its answer', async () => {
    const story = { seed: 1, runs: 1, faults: NO_FAULTS };
    const { crashPoints } = await simulate({ ...story, crashAt: 0 });
    expect(crashPoints).toBeGreaterThan(100);
    for (let crashAt = 1; crashAt <= crashPoints; crashAt += Math.ceil(crashPoints / 12)) {
      expect(await simulate({ ...story, crashAt })).toMatchObject({ violations: [], crashes: 1 });
    }
  });
});
