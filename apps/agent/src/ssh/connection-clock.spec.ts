import { ConnectionClock } from './connection-clock.js';

describe('how long nobody has been connected', () => {
  it('counts from the start when nobody ever came', () => {
    expect(new ConnectionClock(1_000).idleSeconds([], 61_500)).toBe(60);
  });

  it.each([
    ['a connection of 10 s', 50_000, 0],
    ['a connection too young to be a person’s', 50_001, 60],
  ])('knows %s', (_what, openedAt, expected) => {
    expect(new ConnectionClock(0).idleSeconds([openedAt], 60_000)).toBe(expected);
  });

  it('counts from the end of the last connection that counted', () => {
    const clock = new ConnectionClock(0);
    clock.closed(10_000, 30_000);
    clock.closed(39_000, 40_000);
    expect(clock.idleSeconds([], 45_000)).toBe(15);
  });
});
