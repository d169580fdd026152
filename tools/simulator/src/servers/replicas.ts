import type { Notices } from '@dstack/server/parts';
import type { Faults } from '../faults.js';
import type { RandomSource } from '../random-source.js';
import type { Story } from '../story.js';
import type { VirtualTime } from '../time/virtual-time.js';
import type { WallClock } from '../time/wall-clock.js';
import { DatabaseAwayError, DatabaseLine } from './database-line.js';
import type { Front } from './front.js';
import { type Fate, ServerEpoch } from './server-epoch.js';
import { type Outside, startServer } from './start-server.js';

const RESTART_MS = [500, 30_000] as const;
const LONG_OUTAGE_MS = [60_000, 300_000] as const;
const NOTICE_MS = [1, 200] as const;
const STEP_MS = 60_000;

/** One place where a server runs, life after life. */
interface Replica {
  readonly name: string;
  readonly clock: WallClock;
  /** Null: the database is its own. */
  readonly line: DatabaseLine | null;
  life: { readonly front: Front; readonly notices: Notices; readonly since: number } | null;
}

export interface ReplicaTools {
  readonly time: VirtualTime;
  readonly random: RandomSource;
  readonly faults: Faults;
  readonly story: Story;
  readonly fate: Fate;
  readonly outside: Outside;
}

/** All servers of a story: they start, crash, stand still and come back, and tell each other what is new. */
export class Replicas {
  private readonly replicas: Replica[];
  private lives = 0;
  private steppedAt = -Infinity;

  constructor(
    clocks: readonly WallClock[],
    private readonly tools: ReplicaTools,
  ) {
    const { time, random, faults, story } = tools;
    this.replicas = clocks.map((clock, index) => {
      const name = `server ${'ABC'[index] ?? index}`;
      const line = clocks.length > 1 ? new DatabaseLine(name, time, random, faults, story) : null;
      return { name, clock, line, life: null };
    });
  }

  get size(): number {
    return this.replicas.length;
  }

  startAll(): void {
    for (const replica of this.replicas) this.start(replica);
    if (Number.isFinite(this.tools.faults.clockStepMs)) this.planClockStep();
  }

  /** Some server that takes requests; null while there is none. */
  front(): Front | null {
    const living = this.replicas.flatMap(({ life }) => (life === null ? [] : [life.front]));
    return living.length === 0 ? null : this.tools.random.pick(living);
  }

  /** No server stands still, with something to do when it goes on. */
  get areAllAwake(): boolean {
    return this.replicas.every(({ life }) => life === null || life.front.epoch.isAwake);
  }

  /** For how long at least one of them has been at work without a break, and no clock has moved by itself. */
  get calmMs(): number {
    const now = this.tools.time.now();
    const since = this.replicas.flatMap(({ life, line }) =>
      life?.front.epoch.isAwake === true
        ? [Math.max(life.since, life.front.epoch.awakeSince, line?.wholeSince ?? 0)]
        : [],
    );
    return since.length === 0 ? 0 : Math.max(0, now - Math.max(Math.min(...since), this.steppedAt));
  }

  crashAll(): void {
    for (const { life } of this.replicas) life?.front.epoch.crash('because the story is over');
  }

  private start(replica: Replica): void {
    const { time, random, fate, story, outside } = this.tools;
    this.lives += 1;
    const name = `${replica.name}${this.lives > this.size ? ` (life ${this.lives})` : ''}`;
    const epoch = new ServerEpoch(name, {
      time,
      clock: replica.clock,
      random,
      fate,
      tell: (text) => story.tell(text),
    });
    story.tell(`${name} starts`);
    const { front, built } = startServer(epoch, replica.line, outside);
    replica.life = { front, notices: built.notices, since: time.now() };
    built.notices.relayTo((topic) => this.relay(replica, topic));
    epoch.onEnd(() => this.bury(replica));
    built.workload.start().catch((error: unknown) => {
      if (error instanceof DatabaseAwayError) epoch.crash('because it cannot start without its database');
      else if (!epoch.isDead) story.violate(`the server does not start: ${String(error)}`);
    });
  }

  private bury(replica: Replica): void {
    const { time, random, faults } = this.tools;
    replica.life = null;
    const [min, max] = random.chance(faults.longOutage) ? LONG_OUTAGE_MS : RESTART_MS;
    time.after(random.between(min, max), () => this.start(replica));
  }

  private relay(from: Replica, topic: Parameters<Notices['deliver']>[0]): void {
    const { time, random, faults } = this.tools;
    for (const replica of this.replicas) {
      const { life } = replica;
      if (replica === from || life === null || random.chance(faults.lostNotice)) continue;
      time.after(random.between(...NOTICE_MS), () => life.front.epoch.deliver(() => life.notices.deliver(topic)));
    }
  }

  /** The clock of one machine – the database's own, where the servers share one – is set. */
  private planClockStep(): void {
    const { time, random, faults, story, outside } = this.tools;
    time.after(random.between(1, 2 * faults.clockStepMs), () => {
      const clocks = [
        ...this.replicas,
        ...(this.size > 1 ? [{ name: 'the database', clock: outside.database.clock }] : []),
      ];
      const { name, clock } = random.pick(clocks);
      const ms = random.between(-STEP_MS, STEP_MS);
      clock.step(ms);
      this.steppedAt = time.now();
      story.tell(`the clock of ${name} is set ${Math.abs(Math.round(ms / 100) / 10)} s ${ms < 0 ? 'back' : 'forward'}`);
      this.planClockStep();
    });
  }
}
