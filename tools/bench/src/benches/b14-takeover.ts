import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Measurement } from '../bench.js';
import { type Dialect, newDatabase } from '../stand-in/bench-database.js';
import { ReplicaProcess } from '../stand-in/replica-process.js';
import { runLoad } from '../stand-in/run-load.js';

/** Every job on a machine of its own; in control is who holds the lease of a machine and has heard from its agent which jobs it has. */
export const bench: Bench = {
  id: 'B14',
  title: 'From kill -9 of a server with 1,000 running jobs until its successor controls all of them',
  async run({ quick, say }) {
    const jobs = quick ? 20 : 1_000;
    const measurements: Measurement[] = [];
    for (const dialect of ['sqlite', 'postgres'] as const) measurements.push(...(await takeover(dialect, jobs, say)));
    return measurements;
  },
};

async function takeover(dialect: Dialect, jobs: number, say: (text: string) => void): Promise<Measurement[]> {
  const database = await newDatabase(dialect);
  if (database === undefined) return [];
  const serverDir = mkdtempSync(join(tmpdir(), 'dstack-bench-server-'));
  const options = { database: database.location, serverDir };
  let replica = await ReplicaProcess.start(options);
  try {
    await runLoad([replica], { count: jobs }, (text) => say(`${dialect}: ${text}`));
    await replica.end('SIGKILL');
    const killedAt = performance.now();
    replica = await ReplicaProcess.start(options);
    const upMs = performance.now() - killedAt;
    for (;;) {
      const { state } = await replica.order({ do: 'ask', withConnected: true });
      if (state.runsFailed > 0) throw new Error(`${state.runsFailed} runs were lost`);
      if (state.connected >= jobs) break;
      await sleep(20);
    }
    const seconds = (performance.now() - killedAt) / 1_000;
    return [
      {
        name: `${dialect}, ${jobs} jobs: full control`,
        value: seconds,
        unit: 's',
        floor: { what: 'the new process is up', value: upMs / 1_000 },
        target: { atMost: 5 },
      },
    ];
  } finally {
    await replica.end();
    await database.remove();
    rmSync(serverDir, { recursive: true, force: true });
  }
}
