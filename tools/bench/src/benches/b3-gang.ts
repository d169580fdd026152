import type { Bench, Measurement } from '../bench.js';
import { newDatabase } from '../stand-in/bench-database.js';
import { ReplicaProcess } from '../stand-in/replica-process.js';
import { runLoad } from '../stand-in/run-load.js';
import { median } from '../spread.js';

/** All nodes on machines that are yet to be made: placed in one transaction, started when the last of them has an address. */
export const bench: Bench = {
  id: 'B3',
  title: 'A task of 200 nodes from submit to running, with a stand-in cloud and stand-in agents',
  async run({ quick, say }) {
    const nodes = quick ? 10 : 200;
    const measurements: Measurement[] = [];
    for (const dialect of ['sqlite', 'postgres'] as const) {
      const database = await newDatabase(dialect);
      if (database === undefined) continue;
      const replica = await ReplicaProcess.start({ database: database.location });
      try {
        const single = await runLoad([replica], { count: 1, prefix: 'single' }, say);
        const times: number[] = [];
        for (let round = 0; round < (quick ? 1 : 3); round += 1) {
          const { elapsedMs } = await runLoad([replica], { count: 1, nodes, prefix: `gang-${round}` }, say);
          times.push(elapsedMs / 1_000);
        }
        measurements.push({
          name: `${dialect}: ${nodes} nodes`,
          value: median(times),
          unit: 's',
          floor: { what: 'one node', value: single.elapsedMs / 1_000 },
          target: { atMost: 5 },
        });
      } finally {
        await replica.end();
        await database.remove();
      }
    }
    return measurements;
  },
};
