import type { Bench, Measurement } from '../bench.js';
import { throughput } from './b1-throughput.js';

export const bench: Bench = {
  id: 'B15',
  title: 'The load of B1 on SQLite, on Postgres, and on Postgres with three replicas',
  async run({ quick, say }) {
    const runs = quick ? 20 : 1_000;
    const measurements: Measurement[] = [];
    for (const [dialect, replicas] of [
      ['sqlite', 1],
      ['postgres', 1],
      ['postgres', 3],
    ] as const) {
      const measured = await throughput(dialect, replicas, runs, say);
      measurements.push(...measured.map(({ target: _of1, ...measurement }) => measurement));
    }
    return measurements;
  },
};
