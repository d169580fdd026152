import { describe, expect, it } from '@jest/globals';
import { type WatchedLife, watchLives } from './quiet-lives.js';

/** Looks at one other server: at these times it had these beats. */
function lookAt(looks: readonly (readonly [at: number, beats: number])[]): readonly string[] {
  let known: ReadonlyMap<string, WatchedLife> = new Map();
  let quiet: readonly string[] = [];
  for (const [at, beats] of looks) ({ lives: known, quiet } = watchLives(known, new Map([['other', beats]]), at));
  return quiet;
}

const everySecond = (count: number, beats: (second: number) => number) =>
  Array.from({ length: count }, (_, second) => [second * 1_000, beats(second)] as const);

describe('a server that watches another', () => {
  it.each([
    ['beats on', everySecond(20, (second) => second), []],
    ['has just been seen for the first time', everySecond(1, () => 7), []],
    ['is silent for less than the limit', everySecond(5, () => 7), []],
    ['is silent for as long as the limit', everySecond(6, () => 7), ['other']],
    ['beats again after a pause', [...everySecond(5, () => 7), [5_000, 8] as const], []],
    ['beats seldom, but beats', everySecond(40, (second) => Math.floor(second / 4)), []],
    ['was not looked at meanwhile', [[0, 7] as const, [1_000, 7] as const, [60_000, 7] as const], []],
  ])('that %s', (_, looks, expected) => {
    expect(lookAt(looks)).toEqual(expected);
  });

  it('forgets one that has said goodbye', () => {
    const { lives } = watchLives(new Map([['other', { beats: 3, since: 0, looks: 9 }]]), new Map(), 60_000);
    expect(lives.size).toBe(0);
  });
});
