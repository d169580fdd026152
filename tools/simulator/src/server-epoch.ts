import type { World } from '@dstack/server/parts';
import type { RandomSource } from './random-source.js';
import type { VirtualTime } from './virtual-time.js';

/** Thrown into whatever a crashed server still has under way; nothing of it may reach the outside any more. */
export class DeadServerError extends Error {
  override readonly name = 'DeadServerError';
}

export interface CrashPlan {
  /** Called at each point where a crash is possible; true: now. */
  isDue(point: string): boolean;
}

/** One life of the server. After its crash its timers never fire, its waits never end and its writes throw. */
export class ServerEpoch {
  private dead = false;
  private readonly endings: (() => void)[] = [];
  readonly world: World;

  constructor(
    readonly number: number,
    private readonly time: VirtualTime,
    random: RandomSource,
    private readonly crashes: CrashPlan,
    private readonly tell: (text: string) => void,
  ) {
    this.world = {
      clock: { now: () => time.now() },
      ids: { uuid: () => random.uuid() },
      random: { next: () => random.next(), bytes: (length) => random.bytes(length) },
      scheduler: {
        after: (delayMs, task) => time.after(delayMs, () => void (this.dead || task())),
        sleep: (delayMs, signal) => this.sleep(delayMs, signal),
      },
    };
  }

  get isDead(): boolean {
    return this.dead;
  }

  onEnd(task: () => void): void {
    this.endings.push(task);
  }

  crash(point: string): void {
    if (this.dead) return;
    this.dead = true;
    this.tell(`server ${this.number} crashes at ${point}`);
    for (const task of this.endings) task();
  }

  /** A place where the server may die. @throws {DeadServerError} when it does, or has */
  point(name: string): void {
    if (!this.dead && this.crashes.isDue(name)) this.crash(name);
    if (this.dead) throw new DeadServerError(`server ${this.number} is dead`);
  }

  /** As `point`, for a place without a transaction to roll back: a dead server simply never goes on. */
  async pass(name: string): Promise<void> {
    if (!this.dead && this.crashes.isDue(name)) this.crash(name);
    if (this.dead) await new Promise<never>(() => undefined);
  }

  /** A wait that only a living server comes back from; rejects with the signal's reason when it is aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.dead) return;
      if (signal?.aborted === true) return reject(asError(signal.reason));
      const onAbort = (): void => {
        timer.cancel();
        if (!this.dead) reject(asError(signal?.reason));
      };
      const timer = this.time.after(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        if (!this.dead) resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
