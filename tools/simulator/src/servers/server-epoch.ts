import type { World } from '@dstack/server/parts';
import type { RandomSource } from '../random-source.js';
import type { VirtualTime } from '../time/virtual-time.js';
import type { WallClock } from '../time/wall-clock.js';

/** Thrown into whatever a crashed server still has under way; nothing of it may reach the outside any more. */
export class DeadServerError extends Error {
  override readonly name = 'DeadServerError';
}

/** What may happen to a server, asked at each point where it matters. */
export interface Fate {
  isCrashDue(point: string): boolean;
  /** How long it stands still from here on, as a paused machine does; null: it goes on. */
  freezeMs(point: string): number | null;
}

export interface EpochTools {
  readonly time: VirtualTime;
  readonly clock: WallClock;
  readonly random: RandomSource;
  readonly fate: Fate;
  readonly tell: (text: string) => void;
}

/** One life of one server. After its crash its timers never fire, its waits never end and its writes throw; frozen, it does all that later. */
export class ServerEpoch {
  private dead = false;
  private isFrozen = false;
  private thawedAt = -Infinity;
  private readonly held: (() => void)[] = [];
  private readonly endings: (() => void)[] = [];
  private readonly hearings = new Set<() => void>();
  readonly world: World;

  constructor(
    readonly name: string,
    private readonly tools: EpochTools,
  ) {
    const { time, clock, random } = tools;
    this.world = {
      clock: { now: () => clock.now() },
      ids: { uuid: () => random.uuid() },
      random: { next: () => random.next(), bytes: (length) => random.bytes(length) },
      scheduler: {
        after: (delayMs, task) => time.after(delayMs, () => this.deliver(task)),
        sleep: (delayMs, signal) => this.sleep(delayMs, signal),
      },
    };
  }

  get isDead(): boolean {
    return this.dead;
  }

  get isAwake(): boolean {
    return !this.dead && !this.isFrozen;
  }

  /** When it went on after it stood still for the last time. */
  get awakeSince(): number {
    return this.thawedAt;
  }

  onEnd(task: () => void): void {
    this.endings.push(task);
  }

  crash(point: string): void {
    if (this.dead) return;
    this.dead = true;
    this.tools.tell(`${this.name} crashes ${point}`);
    for (const task of this.endings) task();
    for (const stop of this.hearings) stop();
  }

  /** Gives what ends it. The server's death does too: a signal that somebody listens to stays in memory, and all that its server was. */
  onAbort(signal: AbortSignal | undefined, task: () => void): () => void {
    const stop = (): void => {
      signal?.removeEventListener('abort', task);
      this.hearings.delete(stop);
    };
    if (this.dead) return stop;
    signal?.addEventListener('abort', task, { once: true });
    this.hearings.add(stop);
    return stop;
  }

  freeze(ms: number, point: string): void {
    if (!this.isAwake) return;
    this.isFrozen = true;
    this.tools.tell(`${this.name} stands still for ${Math.round(ms / 1000)} s ${point}`);
    this.tools.time.after(ms, () => {
      this.isFrozen = false;
      this.thawedAt = this.tools.time.now();
      if (!this.dead) this.tools.tell(`${this.name} goes on`);
      while (this.isAwake) {
        const task = this.held.shift();
        if (task === undefined) return;
        task();
      }
    });
  }

  /** Something from outside reaches the server: a timer, an answer, a request. */
  deliver(task: () => void): void {
    if (this.dead) return;
    if (this.isFrozen) this.held.push(task);
    else task();
  }

  /** A place where the server may die. @throws {DeadServerError} when it does, or has */
  point(name: string): void {
    if (!this.dead && this.tools.fate.isCrashDue(name)) this.crash(name);
    if (this.dead) throw new DeadServerError(`${this.name} is dead`);
  }

  /** As `point`, for a place without a transaction to roll back: a dead server simply never goes on, a frozen one later. */
  async pass(name: string): Promise<void> {
    this.mark(name);
    if (this.isAwake) return;
    await new Promise<void>((resolve) => this.deliver(resolve));
  }

  /** As `pass`, while the server waits for somebody else. */
  mark(name: string): void {
    if (this.dead) return;
    if (this.tools.fate.isCrashDue(name)) return this.crash(name);
    const ms = this.tools.fate.freezeMs(name);
    if (ms !== null) this.freeze(ms, name);
  }

  /** A wait that only a living server comes back from; rejects with the signal's reason when it is aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.dead) return;
      if (signal?.aborted === true) return reject(asError(signal.reason));
      const timer = this.tools.time.after(delayMs, () =>
        this.deliver(() => {
          stop();
          resolve();
        }),
      );
      const stop = this.onAbort(signal, () => {
        stop();
        timer.cancel();
        reject(asError(signal?.reason));
      });
    });
  }
}

export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
