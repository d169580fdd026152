import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../until.js';
import { finalRun, hasStarted, wrongWith } from './check-run.js';
import type { CrashFault } from './faults.js';
import type { CrashWorld } from './crash-world.js';
import { RandomSource } from '@dstack/simulator/random-source';
import { strikeMoment } from './strike-moments.js';
import { submitRuns } from './workload.js';

export interface CaseResult {
  readonly world: string;
  readonly fault: string;
  readonly seed: number;
  /** `after 2013 ms`, `when its first line is stored`. */
  readonly strikeAt: string;
  readonly runs: number;
  readonly logLines: number;
  readonly wrong: readonly string[];
}

/** Once all print. */
const STRIKE_RUNNING_WITHIN_MS = 1_000;
const END_WITHIN_MS = 120_000;

/** Submits runs, strikes at a moment that the seed decides, waits for the end of all, and says what is not as without the fault. */
export async function runCase(world: CrashWorld, fault: CrashFault, seed: number): Promise<CaseResult> {
  const random = new RandomSource(seed);
  const [front] = world.servers;
  if (front === undefined) throw new Error('a world without a server');
  const moment = strikeMoment(seed, random);
  const strikeAt = fault.isForRunning === true ? 'while all run' : moment.name;
  const base = { world: world.name, fault: fault.name, seed, strikeAt };
  const runs = await submitRuns(front, { prefix: `case-${seed}`, image: world.image, random });
  if (fault.isForRunning === true) {
    for (const { name } of runs) await until(`${name} to run`, () => hasStarted(front, name), END_WITHIN_MS);
    await sleep(random.whole(0, STRIKE_RUNNING_WITHIN_MS));
  } else if (runs[0] !== undefined) await moment.wait(front, runs[0]);
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
