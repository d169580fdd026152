import { ClientError, type ProjectScope } from '@dstack/server/parts';
import type { Faults } from '../faults.js';
import type { RandomSource } from '../random-source.js';
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

  constructor(private readonly tools: UserTools) {}

  get scope(): ProjectScope {
    return this.tools.scope;
  }

  get random(): RandomSource {
    return this.tools.random;
  }

  later(delayMs: number, task: () => void): void {
    this.pending += 1;
    this.tools.time.after(delayMs, () => {
      this.pending -= 1;
      task();
    });
  }

  ask(
    what: string,
    request: (front: Front) => Promise<unknown>,
    onRefusal: (message: string) => void = () => undefined,
  ): void {
    const { scope, time, random, faults, story } = this.tools;
    const front = this.tools.front();
    if (front === null) return this.later(RETRY_MS, () => this.ask(what, request, onRefusal));
    story.tell(`user of ${scope.projectName}: ${what}`);
    this.pending += 1;
    let isWaiting = true;
    let isUnderWay = true;
    const again = (): void => {
      if (!isWaiting) return;
      isWaiting = false;
      this.later(RETRY_MS, () => this.ask(what, request, onRefusal));
    };
    const end = (): void => {
      if (isUnderWay) this.pending -= 1;
      isUnderWay = false;
    };
    const { epoch } = front;
    epoch.onEnd(() => {
      again();
      end();
    });
    time.after(PATIENCE_MS, again);
    epoch.deliver(() => {
      request(front).then(
        () => {
          if (random.chance(faults.lostReply)) again();
          isWaiting = false;
          end();
        },
        (error: unknown) => {
          if (epoch.isDead) return;
          if (!isRefusal(error)) story.violate(`${what} failed inside the server: ${String(error)}`);
          else if (isWaiting) {
            story.tell(`user of ${scope.projectName}: ${what} is refused: ${String(error)}`);
            onRefusal(String(error));
          }
          isWaiting = false;
          end();
        },
      );
    });
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ClientError || (error instanceof Error && /Error$/.test(error.name) && 'status' in error);
}
