import type { TrafficReport } from '@dstack/core';
import type { StatsSecond } from '@dstack/gateway-protocol';
import { TrafficMeter } from '@dstack/proxy';

const KEPT_S = 300;

interface Second {
  readonly at: number;
  readonly group: string;
  requests: number;
  totalMs: number;
  statuses: Record<string, number>;
}

/** What is counted of a service's requests, by the second in which they ended. */
export class ServiceTraffic {
  private readonly meters = new Map<string, TrafficMeter>();
  private seconds: Second[] = [];

  constructor(private readonly now: () => number) {}

  /** @param status null: the replica gave none */
  count(group: string, ms: number, status: number | null): void {
    let meter = this.meters.get(group);
    if (meter === undefined) {
      meter = new TrafficMeter(this.now);
      this.meters.set(group, meter);
    }
    meter.count(ms);
    const second = this.second(group);
    second.requests += 1;
    second.totalMs += ms;
    const statusClass = String(status === null ? 0 : Math.floor(status / 100));
    second.statuses[statusClass] = (second.statuses[statusClass] ?? 0) + 1;
  }

  windows(): TrafficReport['groups'] {
    return Object.fromEntries([...this.meters].map(([group, meter]) => [group, meter.windows()]));
  }

  /** @param from,to Unix seconds: from the first on, without the last */
  between(from: number, to: number): StatsSecond[] {
    return this.seconds.filter(({ at }) => at >= from && at < to).map((second) => ({ ...second }));
  }

  private second(group: string): Second {
    const at = Math.floor(this.now() / 1000);
    const known = this.seconds.findLast((each) => each.at === at && each.group === group);
    if (known !== undefined) return known;
    if ((this.seconds[0]?.at ?? at) <= at - KEPT_S) this.seconds = this.seconds.filter((each) => each.at > at - KEPT_S);
    const made = { at, group, requests: 0, totalMs: 0, statuses: {} };
    this.seconds.push(made);
    return made;
  }
}
