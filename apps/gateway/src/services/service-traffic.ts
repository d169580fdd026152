import type { TrafficReport, TrafficWindow } from '@dstack/core';
import type { StatsSecond } from '@dstack/gateway-protocol';

/** Over which requests are counted, in seconds. */
const WINDOWS_S = [30, 60, 300] as const;
const KEPT_S = 300;

interface Second extends StatsSecond {
  requests: number;
  totalMs: number;
  statuses: Record<string, number>;
}

/** What is counted of a service's requests, by the second in which they ended. */
export class ServiceTraffic {
  private seconds: Second[];

  /** @param former what a program before this one has counted, oldest first */
  constructor(
    private readonly now: () => number,
    former: readonly StatsSecond[] = [],
  ) {
    this.seconds = former.map((second) => ({ ...second, statuses: { ...second.statuses } }));
  }

  /** @param status null: the replica gave none */
  count(group: string, ms: number, status: number | null): void {
    const second = this.second(group);
    second.requests += 1;
    second.totalMs += ms;
    const statusClass = String(status === null ? 0 : Math.floor(status / 100));
    second.statuses[statusClass] = (second.statuses[statusClass] ?? 0) + 1;
  }

  windows(): TrafficReport['groups'] {
    const at = this.present();
    const groups = Map.groupBy(this.seconds, ({ group }) => group);
    return Object.fromEntries(
      [...groups].map(([group, seconds]) => [group, WINDOWS_S.map((length) => windowOf(seconds, at, length))]),
    );
  }

  /** @param from,to Unix seconds: from the first on, without the last */
  between(from: number, to: number): StatsSecond[] {
    return this.seconds.filter(({ at }) => at >= from && at < to).map((second) => ({ ...second }));
  }

  private second(group: string): Second {
    const at = this.present();
    const known = this.seconds.findLast((each) => each.at === at && each.group === group);
    if (known !== undefined) return known;
    if ((this.seconds[0]?.at ?? at) <= at - KEPT_S) this.seconds = this.seconds.filter((each) => each.at > at - KEPT_S);
    const made = { at, group, requests: 0, totalMs: 0, statuses: {} };
    this.seconds.push(made);
    return made;
  }

  private present(): number {
    return Math.floor(this.now() / 1000);
  }
}

function windowOf(all: readonly StatsSecond[], now: number, seconds: number): TrafficWindow {
  const within = all.filter(({ at }) => at > now - seconds);
  const requests = within.reduce((sum, each) => sum + each.requests, 0);
  const totalMs = within.reduce((sum, each) => sum + each.totalMs, 0);
  return { seconds, requests, meanMs: requests === 0 ? 0 : totalMs / requests };
}
