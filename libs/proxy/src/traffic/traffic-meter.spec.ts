import { TrafficMeter } from './traffic-meter.js';

it('counts requests by when they ended, over three windows', () => {
  let now = 1_000_000;
  const meter = new TrafficMeter(() => now);
  const request = (ms: number): void => {
    now += ms;
    meter.count(ms);
  };
  request(100);
  now += 40_000;
  request(300);
  request(500);
  expect(meter.windows()).toEqual([
    { seconds: 30, requests: 2, meanMs: 400 },
    { seconds: 60, requests: 3, meanMs: 300 },
    { seconds: 300, requests: 3, meanMs: 300 },
  ]);
  now += 301_000;
  expect(meter.windows().map(({ requests }) => requests)).toEqual([0, 0, 0]);
});
