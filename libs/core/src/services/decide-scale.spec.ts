import { decideScale, type GroupLoad, type GroupScale, type ServiceGroup } from './decide-scale.js';

const T = 1_000_000;
const MINUTE = 60_000;
const group: ServiceGroup = {
  name: '0',
  min: 0,
  max: 5,
  scaling: { target: 10, windowSeconds: 60, upDelayMs: 5 * MINUTE, downDelayMs: 10 * MINUTE },
};
const load = (rps: number, over: Partial<GroupLoad> = {}): GroupLoad => ({
  windows: [
    { seconds: 30, requests: 7, meanMs: 1 },
    { seconds: 60, requests: rps * 60, meanMs: 1 },
  ],
  inFlight: 0,
  held: 0,
  ...over,
});
const at = (desired: number, agoMs: number): GroupScale => ({ desired, scaledAt: T - agoMs });

describe('how many replicas a group shall have', () => {
  it.each<[string, ServiceGroup, GroupScale | null, GroupLoad, number]>([
    ['its minimum at first', { ...group, min: 2 }, null, load(100), 2],
    ['what it has, without scaling', { ...group, min: 2, max: 2, scaling: null }, at(2, 0), load(100), 2],
    ['no more than the new maximum, at once', { ...group, max: 3 }, at(5, 0), load(1000), 3],
    ['no fewer than the new minimum, at once', { ...group, min: 4 }, at(1, 0), load(0), 4],
    ['more when the load asks for it', group, at(1, 5 * MINUTE), load(25), 3],
    ['not more before the delay is over', group, at(1, 5 * MINUTE - 1), load(25), 1],
    ['no more than the maximum', group, at(1, 5 * MINUTE), load(1000), 5],
    ['fewer when the load is less', group, at(3, 10 * MINUTE), load(10), 1],
    ['not fewer before the delay is over', group, at(3, 10 * MINUTE - 1), load(10), 3],
    ['none without requests', group, at(1, 10 * MINUTE), load(0), 0],
    ['no fewer than the minimum', { ...group, min: 1 }, at(2, 10 * MINUTE), load(0), 1],
    ['one while an answer is under way, however long it takes', group, at(1, 10 * MINUTE), load(0, { inFlight: 1 }), 1],
    ['one at once when a request waits', group, at(0, 0), load(0, { held: 1 }), 1],
    ['what the load asks for at once, from none', group, at(0, 0), load(25), 3],
    ['exactly what the load asks for', group, at(1, 5 * MINUTE), load(20), 2],
  ])('%s', (_rule, asked, current, seen, expected) => {
    expect(decideScale(asked, current, seen, T).scale.desired).toBe(expected);
  });

  it.each<[string, GroupScale, GroupLoad, string | null]>([
    ['the rate', at(1, 5 * MINUTE), load(25), '25 requests per second in the last 60 s, 10 per replica'],
    ['who waits', at(0, 0), load(0, { held: 2 }), '2 waiting'],
    ['nothing when nothing changes', at(1, 0), load(10), null],
  ])('says %s', (_what, current, seen, because) => {
    expect(decideScale(group, current, seen, T).because).toBe(because);
  });

  it.each<[string, GroupScale, GroupLoad, number | null]>([
    [
      'never while nobody asks for anything',
      at(0, 0),
      load(0, { windows: [{ seconds: 60, requests: 0, meanMs: 0 }] }),
      null,
    ],
    ['in a while when somebody asked in another window', at(0, 0), load(0), T + 10_000],
    ['in a while when there are requests', at(1, 0), load(10), T + 10_000],
    ['when the delay is over', at(1, 5 * MINUTE - 500), load(25), T + 500],
    ['in a while when it has more than its minimum', at(2, 0), load(0), T + 10_000],
  ])('looks again %s', (_when, current, seen, recheckAt) => {
    expect(decideScale(group, current, seen, T).recheckAt).toBe(recheckAt);
  });

  it('counts the delays from its own last change', () => {
    const { scale } = decideScale(group, at(1, 5 * MINUTE), load(25), T);
    expect(scale).toEqual({ desired: 3, scaledAt: T });
    expect(decideScale(group, scale, load(45), T + MINUTE).scale).toBe(scale);
  });
});
