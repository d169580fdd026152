import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../until.js';
import { finalRun, hasStarted, wrongWith } from './check-run.js';
import type { CrashFault } from './faults.js';
import type { CrashWorld } from './crash-world.js';
import { RandomSource } from '@dstack/simulator/random-source';
import { submitRuns } from './workload.js';

export interface CaseResult {
  readonly world: string;
  readonly fault: string;
  readonly seed: number;
  readonly strikeAtMs: number;
  readonly runs: number;
  readonly logLines: number;
  readonly wrong: readonly string[];
}

/** From the submission on: runs are placed, started, print, end, and are cleaned up after. */
const STRIKE_WITHIN_MS = 5_000;
const END_WITHIN_MS = 120_000;

/** Submits runs, strikes at a moment that the seed decides, waits for the end of all, and says what is not as without the fault. */
export async function runCase(world: CrashWorld, fault: CrashFault, seed: number): Promise<CaseResult> {
  const random = new RandomSource(seed);
  const [front] = world.servers;
  if (front === undefined) throw new Error('a world without a server');
  const strikeAtMs = random.whole(0, STRIKE_WITHIN_MS);
  const base = { world: world.name, fault: fault.name, seed, strikeAtMs };
  const runs = await submitRuns(front, { prefix: `case-${seed}`, image: world.image, random });
  if (fault.isForRunning === true) {
    for (const { name } of runs) await until(`${name} to run`, () => hasStarted(front, name), END_WITHIN_MS);
    await sleep(strikeAtMs / 5);
  } else await sleep(strikeAtMs);
  await fault.strike(world, random);
  const wrong: string[] = [];
  for (const expected of runs) {
    const due = `${expected.name} to end`;
    const run = await until(due, () => finalRun(front, expected.name), END_WITHIN_MS).catch(() => undefined);
    if (run === undefined) wrong.push(`${expected.name} has not ended after ${END_WITHIN_MS / 1000} s`);
    else wrong.push(...(await wrongWith(front, expected, run)));
  }
  let left: string[] = [];
  await until('nothing to be left', async () => (left = await world.leftovers()).length === 0).catch(() => {
    wrong.push(...left);
  });
  return { ...base, runs: runs.length, logLines: runs.reduce((sum, run) => sum + run.lines.length, 0), wrong };
}
