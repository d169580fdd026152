import type { TrafficWindow } from '@dstack/core';

/** Over which requests are counted, in seconds. */
const WINDOWS_S = [30, 60, 300] as const;
const KEPT_S = 300;

interface Second {
  readonly at: number;
  requests: number;
  totalMs: number;
}

/** Requests of one replica group of a service, counted by the second in which they ended. */
export class TrafficMeter {
  private readonly seconds: Second[] = [];

  constructor(private readonly now: () => number) {}

  /** A request whose answer ended now, `ms` after it came. */
  count(ms: number): void {
    const at = Math.floor(this.now() / 1000);
    const last = this.seconds.at(-1);
    if (last?.at === at) {
      last.requests += 1;
      last.totalMs += ms;
      return;
    }
    this.forget(at);
    this.seconds.push({ at, requests: 1, totalMs: ms });
  }

  windows(): TrafficWindow[] {
    const now = Math.floor(this.now() / 1000);
    this.forget(now);
    return WINDOWS_S.map((seconds) => {
      const within = this.seconds.filter(({ at }) => at > now - seconds);
      const requests = within.reduce((sum, each) => sum + each.requests, 0);
      const totalMs = within.reduce((sum, each) => sum + each.totalMs, 0);
      return { seconds, requests, meanMs: requests === 0 ? 0 : totalMs / requests };
    });
  }

  private forget(now: number): void {
    while (this.seconds[0] !== undefined && this.seconds[0].at <= now - KEPT_S) this.seconds.shift();
  }
}
