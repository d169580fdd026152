import { setTimeout as sleep } from 'node:timers/promises';
import type { RandomSource } from '@dstack/simulator/random-source';
import type { Stack } from '../stack.js';
import type { ExpectedRun } from './workload.js';

/** When a fault strikes. */
export interface StrikeMoment {
  readonly name: string;
  /** Resolves when it has come. */
  wait(stack: Stack, run: ExpectedRun): Promise<void>;
}

/** In the order in which a run passes them. */
const STATUSES = ['pending', 'submitted', 'provisioning', 'running', 'terminating', 'done'] as const;
const FINAL: ReadonlySet<string> = new Set(['done', 'failed', 'terminated']);

const LOOK_EVERY_MS = 10;
const WITHIN_MS = 60_000;

/** The points of a run's life at which a server has something half done, as far as they can be seen from outside. */
export const NAMED_MOMENTS: readonly StrikeMoment[] = [
  named('when the run is known and has no place', (stack, run) => hasReached(stack, run, 'submitted')),
  named('when its machine is being made', (stack, run) => hasReached(stack, run, 'provisioning')),
  named('when it has just started', (stack, run) => hasReached(stack, run, 'running')),
  named('when its first line is stored', async (stack, run) => (await stack.cli(['logs', run.name])).stdout !== ''),
  named('when it is being ended', (stack, run) => hasReached(stack, run, 'terminating')),
  named('when it has just ended', (stack, run) => hasReached(stack, run, 'done')),
];

/** From the submission on: runs are placed, started, print, end, and are cleaned up after. */
const RANDOM_WITHIN_MS = 5_000;

/** Every other story at a named point, the others at any moment. */
export function strikeMoment(seed: number, random: RandomSource): StrikeMoment {
  if (seed % 2 === 0) return random.pick(NAMED_MOMENTS);
  const afterMs = random.whole(0, RANDOM_WITHIN_MS);
  return { name: `after ${afterMs} ms`, wait: () => sleep(afterMs) };
}

function named(name: string, hasCome: (stack: Stack, run: ExpectedRun) => Promise<boolean>): StrikeMoment {
  return {
    name,
    async wait(stack, run) {
      const deadline = Date.now() + WITHIN_MS;
      while (!(await hasCome(stack, run).catch(() => false)) && Date.now() < deadline) await sleep(LOOK_EVERY_MS);
    },
  };
}

async function hasReached(stack: Stack, { name }: ExpectedRun, point: (typeof STATUSES)[number]): Promise<boolean> {
  const { status } = await stack.api<{ status: string }>('/api/project/main/runs/get', { run_name: name });
  const at = FINAL.has(status) ? 'done' : status;
  return STATUSES.findIndex((each) => each === at) >= STATUSES.indexOf(point);
}
