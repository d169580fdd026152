import type { Faults } from '../faults.js';
import type { RandomSource } from '../random-source.js';
import type { Story } from '../story.js';
import type { VirtualTime } from '../time/virtual-time.js';

/** A server's database did not answer. What was asked may have been done. */
export class DatabaseAwayError extends Error {
  override readonly name = 'DatabaseAwayError';
}

const OUTAGE_MS = [500, 40_000] as const;
const SILENCE_MS = [1, 3_000] as const;

/** The way from one replica to the database that several share: it breaks for a while, and takes the answer to a commit with it. */
export class DatabaseLine {
  private awayUntil = -Infinity;

  constructor(
    private readonly name: string,
    private readonly time: VirtualTime,
    private readonly random: RandomSource,
    private readonly faults: Faults,
    private readonly story: Story,
  ) {
    if (Number.isFinite(faults.databaseOutageMs)) this.planOutage();
  }

  get isAway(): boolean {
    return this.time.now() < this.awayUntil;
  }

  /** Since when it has been whole. */
  get wholeSince(): number {
    return this.awayUntil;
  }

  /** How long a server waits until it learns that nobody answers. */
  get silenceMs(): number {
    return this.random.between(...SILENCE_MS);
  }

  drawCommit(): 'answered' | 'done but not answered' | 'not done' {
    if (!this.random.chance(this.faults.lostCommit)) return 'answered';
    const fate = this.random.pick(['done but not answered', 'not done'] as const);
    this.story.tell(`${this.name}: a commit is ${fate}`);
    return fate;
  }

  private planOutage(): void {
    this.time.after(this.random.between(1, 2 * this.faults.databaseOutageMs), () => {
      const ms = this.random.between(...OUTAGE_MS);
      this.awayUntil = this.time.now() + ms;
      this.story.tell(`${this.name}: does not reach the database for ${Math.round(ms / 1000)} s`);
      this.planOutage();
    });
  }
}
