import type { Bench, Measurement } from '../bench.js';
import { cpuOf } from '../process-usage.js';
import { type Dialect, newDatabase } from '../stand-in/bench-database.js';
import { ReplicaProcess } from '../stand-in/replica-process.js';
import { runLoad } from '../stand-in/run-load.js';

/** Each run gets a machine of its own from a cloud that answers at once: all that is left is the server and its database. */
export const bench: Bench = {
  id: 'B1',
  title: 'Runs from submit to running in a minute: server and database, with a stand-in cloud and stand-in agents',
  async run({ quick, say }) {
    const measurements: Measurement[] = [];
    for (const [dialect, runs] of [
      ['sqlite', 10_000],
      ['postgres', 1_000],
    ] as const)
      measurements.push(...(await throughput(dialect, 1, quick ? 30 : runs, say)));
    return measurements;
  },
};

export async function throughput(
  dialect: Dialect,
  replicaCount: number,
  runs: number,
  say: (text: string) => void,
): Promise<Measurement[]> {
  const database = await newDatabase(dialect);
  if (database === undefined) {
    say('Postgres is not installed: left out');
    return [];
  }
  const replicas: ReplicaProcess[] = [];
  try {
    const { location } = database;
    const first = await ReplicaProcess.start({ database: location });
    replicas.push(first);
    for (let index = 1; index < replicaCount; index += 1)
      replicas.push(await ReplicaProcess.start({ database: location }));
    const bare = await bareRunsPerMinute(first, Math.min(runs, 2_000));
    const cpuBefore = replicas.map(({ pid }) => cpuOf(pid).own);
    const { elapsedMs } = await runLoad(replicas, { count: runs }, (text) => say(`${dialect}: ${text}`));
    const cpuMs = replicas.reduce((sum, { pid }, index) => sum + cpuOf(pid).own - (cpuBefore[index] ?? 0), 0);
    say(`${dialect}, ${replicaCount} replicas: ${Math.round((runs / elapsedMs) * 60_000)} runs per minute`);
    const name = `${dialect}${replicaCount === 1 ? '' : `, ${replicaCount} replicas`}`;
    return [
      {
        name: `${name}: ${runs} runs`,
        value: (runs / elapsedMs) * 60_000,
        unit: 'per min',
        floor: { what: 'one insert and one update for each', value: bare },
        target: { atLeast: 6_000 },
      },
      { name: `${name}: the server's CPU for a run`, value: cpuMs / runs, unit: 'ms CPU' },
    ];
  } finally {
    await Promise.all(replicas.map((replica) => replica.end()));
    await database.remove();
  }
}

async function bareRunsPerMinute(replica: ReplicaProcess, count: number): Promise<number> {
  const { elapsedMs } = await replica.order({ do: 'bare', count, atOnce: 32 });
  return (count * 60_000) / elapsedMs;
}
