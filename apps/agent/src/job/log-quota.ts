import { VisibleByteCounter } from './visible-bytes.js';

const HOUR_MS = 3_600_000;

/** Visible bytes per hour since submission. */
export class LogQuota {
  private hour = 0;
  private used = 0;
  private readonly counter = new VisibleByteCounter();

  constructor(
    private readonly bytesPerHour: number,
    private readonly submittedAt: number,
  ) {}

  /** Whether this output takes the job over its quota. */
  exceededBy(output: Uint8Array, now: number): boolean {
    const hour = Math.floor((now - this.submittedAt) / HOUR_MS);
    if (hour !== this.hour) {
      this.hour = hour;
      this.used = 0;
    }
    this.used += this.counter.count(output);
    return this.bytesPerHour > 0 && this.used > this.bytesPerHour;
  }
}
