import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Measurement } from '../bench.js';
import { cpuOf, residentKb } from '../process-usage.js';
import { type Dialect, newDatabase } from '../stand-in/bench-database.js';
import { ReplicaProcess } from '../stand-in/replica-process.js';
import { runLoad } from '../stand-in/run-load.js';

/** Every job runs on a machine of its own. The stand-in agents are in the server's process: what they take is in its figures. */
export const bench: Bench = {
  id: 'B4',
  title: 'What running jobs cost the server while nothing happens to them',
  async run({ quick, say }) {
    const measurements: Measurement[] = [];
    const counts = quick ? [20] : [1_000, 10_000];
    for (const dialect of ['sqlite', 'postgres'] as const)
      for (const jobs of counts) measurements.push(...(await idleCost(dialect, jobs, quick ? 1_000 : 30_000, say)));
    return measurements;
  },
};

async function idleCost(
  dialect: Dialect,
  jobs: number,
  forMs: number,
  say: (text: string) => void,
): Promise<Measurement[]> {
  const database = await newDatabase(dialect);
  if (database === undefined) return [];
  const replica = await ReplicaProcess.start({ database: database.location });
  const { pid } = replica;
  try {
    await runLoad([replica], { count: 1, prefix: 'first' }, say);
    const emptyKb = await settledKb(pid, forMs / 3);
    const empty = await costOf(replica, forMs);
    await runLoad([replica], { count: jobs - 1 }, (text) => say(`${dialect}: ${text}`));
    const fullKb = await settledKb(pid, forMs);
    const full = await costOf(replica, forMs);
    const name = `${dialect}, ${jobs} jobs`;
    return [
      { name: `${name}: memory of a job`, value: (fullKb - emptyKb) / jobs, unit: 'KB', target: { atMost: 100 } },
      {
        name: `${name}: CPU of a job`,
        value: (full.cpuMsPerS - empty.cpuMsPerS) / jobs,
        unit: 'ms CPU/s',
        target: { atMost: 0.1 },
      },
      {
        name: `${name}: CPU of all`,
        value: full.cpuMsPerS,
        unit: 'ms CPU/s',
        floor: { what: 'one job', value: empty.cpuMsPerS },
      },
      {
        name: `${name}: write transactions`,
        value: full.writesPerS,
        unit: 'per s',
        floor: { what: 'one job', value: empty.writesPerS },
      },
    ];
  } finally {
    await replica.end();
    await database.remove();
  }
}

/** When what a burst of work left behind has been collected. */
async function settledKb(pid: number, ms: number): Promise<number> {
  await sleep(ms);
  return residentKb(pid);
}

interface Cost {
  readonly cpuMsPerS: number;
  readonly writesPerS: number;
}

async function costOf(replica: ReplicaProcess, forMs: number): Promise<Cost> {
  const before = await replica.order({ do: 'ask' });
  const cpuBefore = cpuOf(replica.pid).own;
  await sleep(forMs);
  const cpuMs = cpuOf(replica.pid).own - cpuBefore;
  const after = await replica.order({ do: 'ask' });
  return {
    cpuMsPerS: (cpuMs * 1_000) / forMs,
    writesPerS: ((after.state.writes - before.state.writes) * 1_000) / forMs,
  };
}
