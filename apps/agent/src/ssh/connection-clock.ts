/** A connection counts once it is this old: probes and one-off commands do not keep a job alive. */
const COUNTS_AFTER_MS = 10_000;

/** How long nobody has been connected. */
export class ConnectionClock {
  constructor(private lastSeenAt: number) {}

  closed(openedAt: number, now: number): void {
    if (now - openedAt >= COUNTS_AFTER_MS) this.lastSeenAt = Math.max(this.lastSeenAt, now);
  }

  idleSeconds(openedAt: readonly number[], now: number): number {
    if (openedAt.some((at) => now - at >= COUNTS_AFTER_MS)) return 0;
    return Math.max(0, Math.floor((now - this.lastSeenAt) / 1000));
  }
}
