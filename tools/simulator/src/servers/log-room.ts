import type { LogStore } from '@dstack/server/parts';
import type { Faults } from '../faults.js';
import type { RandomSource } from '../random-source.js';
import type { Story } from '../story.js';
import type { VirtualTime } from '../time/virtual-time.js';

class NoRoomError extends Error {
  override readonly name = 'NoRoomError';
}

/** Longer than a job waits for the end of its log. */
const FULL_MS = [10_000, 600_000] as const;

/** What all servers have for logs is full now and then, as when the service that keeps them is away. */
export class LogRoom {
  private fullUntil = -Infinity;

  constructor(
    private readonly time: VirtualTime,
    private readonly random: RandomSource,
    private readonly faults: Faults,
    private readonly story: Story,
  ) {
    if (random.chance(faults.fullLogs)) this.planFull();
  }

  /** The store as it is, but for what it does not take. */
  before(store: LogStore): LogStore {
    const guarded = Object.create(store) as LogStore; // a store with this one's members
    guarded.append = (...append) => {
      if (this.time.now() < this.fullUntil) return Promise.reject(new NoRoomError('there is no room for logs'));
      return store.append(...append);
    };
    return guarded;
  }

  private planFull(): void {
    this.time.after(this.random.between(1, 2 * this.faults.fullLogsMs), () => {
      const ms = this.random.between(...FULL_MS);
      this.fullUntil = this.time.now() + ms;
      this.story.tell(`there is no room for logs for ${Math.round(ms / 1000)} s`);
      this.planFull();
    });
  }
}
