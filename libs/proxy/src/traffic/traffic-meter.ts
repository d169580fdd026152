/** Over which requests are counted, in seconds. */
export const WINDOWS_S = [30, 60, 300] as const;
const KEPT_S = 300;

export interface TrafficWindow {
  readonly seconds: number;
  readonly requests: number;
  /** Milliseconds from the request to the end of its answer; 0 when there were none. */
  readonly meanMs: number;
}

interface Second {
  readonly at: number;
  requests: number;
  totalMs: number;
}

/** Requests of one replica group of a service, counted by the second in which they ended. */
export class TrafficMeter {
  private readonly seconds: Second[] = [];
  private open = 0;

  constructor(private readonly now: () => number) {}

  /** Requests under way. */
  get inFlight(): number {
    return this.open;
  }

  /** Counts a request from now on; the function that it gives tells that its answer has ended. */
  begin(): () => void {
    const startedAt = this.now();
    this.open += 1;
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      this.open -= 1;
      this.count(this.now() - startedAt);
    };
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

  private count(ms: number): void {
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

  private forget(now: number): void {
    while (this.seconds[0] !== undefined && this.seconds[0].at <= now - KEPT_S) this.seconds.shift();
  }
}
