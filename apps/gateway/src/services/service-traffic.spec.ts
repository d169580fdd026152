import { ServiceTraffic } from './service-traffic.js';

it('counts by group, window, second and status, and goes on where another program was', () => {
  let now = 1_000_000;
  const first = new ServiceTraffic(() => now);
  first.count('a', 10, 200);
  first.count('a', 30, 503);
  now += 40_000;
  first.count('b', 5, null);
  const traffic = new ServiceTraffic(() => now, first.between(0, Infinity));
  traffic.count('a', 50, 204);
  expect(traffic.windows()['a']).toEqual([
    { seconds: 30, requests: 1, meanMs: 50 },
    { seconds: 60, requests: 3, meanMs: 30 },
    { seconds: 300, requests: 3, meanMs: 30 },
  ]);
  expect(traffic.between(1000, 1040)).toEqual([
    { at: 1000, group: 'a', requests: 2, totalMs: 40, statuses: { '2': 1, '5': 1 } },
  ]);
  now += 300_000;
  expect(traffic.windows()['b']).toContainEqual({ seconds: 300, requests: 0, meanMs: 0 });
  traffic.count('a', 1, 200);
  expect(traffic.between(0, Infinity)).toHaveLength(1);
});
