import { ClientError, type ProjectScope } from '@dstack/server/parts';
import type { Faults } from '../faults.js';
import type { RandomSource } from '../random-source.js';
import { DatabaseAwayError } from '../servers/database-line.js';
import type { Front } from '../servers/front.js';
import type { Story } from '../story.js';
import type { VirtualTime } from '../time/virtual-time.js';

const RETRY_MS = 2_000;
const PATIENCE_MS = 60_000;

export interface UserTools {
  readonly scope: ProjectScope;
  readonly front: () => Front | null;
  readonly time: VirtualTime;
  readonly random: RandomSource;
  readonly faults: Faults;
  readonly story: Story;
}

/** Somebody with a project, who asks again – perhaps another server – when no answer comes, and takes a no for an answer. */
export class SimulatedUser {
  /** What he still has in mind or waits for. */
  pending = 0;
  /** Requests that some server may still carry out. */
  underWay = 0;

  constructor(private readonly tools: UserTools) {}

  get scope(): ProjectScope {
    return this.tools.scope;
  }

  get random(): RandomSource {
    return this.tools.random;
  }

  /** Of what a server has promised him and does not keep. */
  complain(text: string): void {
    this.tools.story.violate(`user of ${this.scope.projectName}: ${text}`);
  }

  later(delayMs: number, task: () => void): void {
    this.pending += 1;
    this.tools.time.after(delayMs, () => {
      this.pending -= 1;
      task();
    });
  }

  /** `onEnd` is told once: null, or why it was refused. A server that stands still may do it again later all the same. */
  ask(
    what: string,
    request: (front: Front) => Promise<unknown>,
    onEnd: (refusal: string | null) => void = () => undefined,
  ): void {
    const { scope, time, random, faults, story } = this.tools;
    const front = this.tools.front();
    if (front === null) return this.later(RETRY_MS, () => this.ask(what, request, onEnd));
    story.tell(`user of ${scope.projectName}: ${what}`);
    const { epoch } = front;
    this.pending += 1;
    this.underWay += 1;
    let isWaiting = true;
    let isUnderWay = true;
    const again = (): void => {
      if (!isWaiting) return;
      isWaiting = false;
      this.later(RETRY_MS, () => this.ask(what, request, onEnd));
    };
    const settle = (refusal: string | null): void => {
      if (isWaiting) onEnd(refusal);
      isWaiting = false;
      over();
    };
    const over = (): void => {
      if (!isUnderWay) return;
      isUnderWay = false;
      this.pending -= 1;
      this.underWay -= 1;
    };
    epoch.onEnd(() => {
      again();
      over();
    });
    time.after(PATIENCE_MS, again);
    epoch.deliver(() => {
      request(front).then(
        () => {
          if (random.chance(faults.lostReply)) again();
          settle(null);
        },
        (error: unknown) => {
          if (epoch.isDead) return;
          if (error instanceof DatabaseAwayError) {
            again();
            return over();
          }
          const text = String(error);
          if (!isRefusal(error)) story.violate(`${what} failed inside the server: ${text}`);
          else story.tell(`user of ${scope.projectName}: ${what} is refused: ${text}`);
          settle(text);
        },
      );
    });
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ClientError || (error instanceof Error && /Error$/.test(error.name) && 'status' in error);
}
