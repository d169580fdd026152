import { isQuiet, NO_TRAFFIC, sumTraffic, TRAFFIC_TTL_MS, type TrafficReport } from './traffic.js';

const report = (requests: number, meanMs: number, more: Partial<TrafficReport> = {}): TrafficReport => ({
  groups: { '0': [{ seconds: 60, requests, meanMs }] },
  inFlight: {},
  held: 0,
  ...more,
});

describe('the traffic of a service', () => {
  it('is what all proxies see, their means weighed by requests', () => {
    const traffic = sumTraffic(
      [
        { reportedAt: 900, report: report(30, 100, { inFlight: { a: 1, b: 2 }, held: 1 }) },
        { reportedAt: 950, report: report(10, 500, { inFlight: { a: 3 }, held: 2 }) },
      ],
      1000,
    );
    expect(traffic).toEqual({
      groups: { '0': [{ seconds: 60, requests: 40, meanMs: 200 }] },
      inFlight: { a: 4, b: 2 },
      held: 3,
      heardSince: 900,
    });
  });

  it('keeps replica groups apart', () => {
    const other = { groups: { big: [{ seconds: 60, requests: 5, meanMs: 1 }] }, inFlight: {}, held: 0 };
    const { groups } = sumTraffic([report(1, 1), other].map((each) => ({ reportedAt: 1000, report: each })), 1000); // prettier-ignore
    expect(groups).toMatchObject({ '0': [{ requests: 1 }], big: [{ requests: 5 }] });
  });

  it('leaves out proxies that fell silent', () => {
    const old = { reportedAt: 0, report: report(1000, 1) };
    expect(sumTraffic([old], TRAFFIC_TTL_MS)).toEqual(NO_TRAFFIC);
    expect(sumTraffic([old, { reportedAt: 10, report: report(2, 1) }], TRAFFIC_TTL_MS).heardSince).toBe(10);
  });

  it.each([
    ['without requests', report(0, 0), true],
    ['with a request that was answered', report(1, 1), false],
    ['with one that is being answered', report(0, 0, { inFlight: { a: 1 } }), false],
    ['with one that waits', report(0, 0, { held: 1 }), false],
  ])('is quiet %s: %#', (_what, seen, expected) => {
    expect(isQuiet(seen)).toBe(expected);
  });
});
