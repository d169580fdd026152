import { setImmediate as turn } from 'node:timers/promises';
import type { VirtualTime } from '../time/virtual-time.js';
import type { Activity } from './mortal-engine.js';

/** Beginnings and ends of transactions within one second: who needs more goes round in circles. */
const MOST_STEPS_A_SECOND = 10_000;

/** Waits for the servers to have nothing more to do at this moment. */
export class Rest {
  /** The second that the clock is in, and where it began. */
  private second = { number: 0, steps: 0 };

  constructor(
    private readonly time: VirtualTime,
    private readonly activity: Activity,
  ) {}

  /** Until no transaction is open and a whole turn of the event loop brought nothing new; false when that takes for ever. */
  async come(): Promise<boolean> {
    const number = Math.floor(this.time.now() / 1000);
    if (number !== this.second.number) this.second = { number, steps: this.activity.steps };
    let steps = -1;
    while (this.activity.open > 0 || steps !== this.activity.steps) {
      steps = this.activity.steps;
      if (steps - this.second.steps > MOST_STEPS_A_SECOND) return false;
      await turn();
    }
    return true;
  }

  /** The steps of this second do not count. */
  forgive(): void {
    this.second = { number: 0, steps: this.activity.steps };
  }
}
