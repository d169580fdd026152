import type { Surroundings } from '../surroundings.js';
import { Link } from './link.js';

const TROUBLES = {
  restart: 'restarts',
  cut: 'its connections break',
  partition: 'nobody reaches it for a while',
} as const;

export interface ReachEvents {
  /** It has begun to start anew. */
  readonly onRestart?: () => void;
  readonly onUp?: () => void;
}

/** How a program on a machine is reached: it restarts, loses connections and is out of reach for a while. */
export class Reach {
  private readonly links = new Set<Link>();
  private isUp = false;
  private isReachable = true;
  private isGone = false;

  constructor(
    /** For people: whose trouble it is. */
    private readonly name: string,
    private readonly around: Pick<Surroundings, 'time' | 'random' | 'faults' | 'story'>,
    private readonly events: ReachEvents = {},
  ) {}

  get isRunning(): boolean {
    return this.isUp;
  }

  get isAway(): boolean {
    return !this.isReachable;
  }

  get answers(): boolean {
    return this.isUp && this.isReachable;
  }

  get isOver(): boolean {
    return this.isGone;
  }

  start(): void {
    if (!this.isGone) this.isUp = true;
  }

  destroy(why: string): void {
    this.isGone = true;
    this.isUp = false;
    this.breakLinks(why);
  }

  open(): { readonly link: Link; readonly close: () => void } {
    const link = new Link();
    this.links.add(link);
    const close = (): void => {
      link.break('the connection was closed');
      this.links.delete(link);
    };
    return { link, close };
  }

  /** Something has changed that those who are connected wait for. */
  wake(): void {
    for (const link of this.links) link.wake();
  }

  planTrouble(): void {
    const { time, random, faults } = this.around;
    if (!Number.isFinite(faults.agentTroubleMs)) return;
    time.after(random.between(1_000, 2 * faults.agentTroubleMs), () => {
      if (this.isGone) return;
      this.trouble();
      this.planTrouble();
    });
  }

  private trouble(): void {
    const { time, random, story } = this.around;
    const kind = random.pick(['restart', 'cut', 'cut', 'partition'] as const);
    story.tell(`${this.name}: ${TROUBLES[kind]}`);
    this.breakLinks(TROUBLES[kind]);
    if (kind === 'restart') {
      this.isUp = false;
      this.events.onRestart?.();
      time.after(random.between(500, 15_000), () => {
        this.isUp = !this.isGone;
        this.events.onUp?.();
      });
    }
    if (kind === 'partition') {
      this.isReachable = false;
      time.after(random.between(5_000, 200_000), () => (this.isReachable = true));
    }
  }

  private breakLinks(why: string): void {
    for (const link of this.links) link.break(why);
    this.links.clear();
  }
}
