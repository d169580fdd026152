import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from './world.js';

export function realWorld(): World {
  return {
    clock: { now: () => Date.now() },
    ids: { uuid: () => randomUUID() },
    random: { next: () => Math.random(), bytes: (length) => randomBytes(length) },
    scheduler: {
      after: (delayMs, task) => {
        const timer = setTimeout(task, delayMs);
        return { cancel: () => clearTimeout(timer) };
      },
      sleep: (delayMs, signal) => sleep(delayMs, undefined, signal === undefined ? {} : { signal }),
    },
  };
}
