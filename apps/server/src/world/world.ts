import type { Scheduler } from './scheduler.js';

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export interface Ids {
  /** A fresh UUID v4: the ids that clients and tables accept. */
  uuid(): string;
}

export interface Random {
  /** In [0, 1). */
  next(): number;
  bytes(length: number): Buffer;
}

/** Everything a service may not reach for by itself, so that a simulator can run the same code under its own time and chance. */
export interface World {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly scheduler: Scheduler;
}

/** The injection token of the world (interfaces leave no trace at run time). */
export const WORLD = Symbol('World');
