import type { VirtualTime } from './virtual-time.js';

/** What one machine takes for the time of day: it goes as time goes, but is wrong, and is set right or wrong by steps. */
export class WallClock {
  constructor(
    private readonly time: VirtualTime,
    private offsetMs = 0,
  ) {}

  /** Unix milliseconds. */
  now(): number {
    return Math.round(this.time.now() + this.offsetMs);
  }

  step(ms: number): void {
    this.offsetMs += ms;
  }
}
