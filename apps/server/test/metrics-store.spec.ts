import { MetricsStore } from '../src/metrics/metrics-store.js';
import { realWorld } from '../src/world/real-world.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

const sample = (cpuUsageMicros: number) => ({
  cpuUsageMicros,
  memoryUsageBytes: 2,
  memoryWorkingSetBytes: 1,
  gpus: [],
});

describe.each(testDatabases())('metrics on $name', ({ open }) => {
  it('gives the newest points first, one more than asked for', async () => {
    const db = await open();
    const { jobId } = await seedJob(db);
    const metrics = new MetricsStore(db, realWorld());
    for (const at of [1000, 2000, 3000, 4000]) await metrics.record(jobId, at, sample(at));
    expect((await metrics.points(jobId, { limit: 2 })).map((point) => point.cpuUsageMicros)).toEqual([
      4000, 3000, 2000,
    ]);
    expect(
      (await metrics.points(jobId, { limit: 9, beforeMicro: 2_000_000 })).map((point) => point.cpuUsageMicros),
    ).toEqual([2000, 1000]);
  });

  it('keeps a running job’s last hour only', async () => {
    const db = await open();
    const { jobId } = await seedJob(db);
    const metrics = new MetricsStore(db, realWorld());
    for (const at of [1000, 9000]) await metrics.record(jobId, at, sample(at));
    expect(await metrics.deleteOld(10_000, { runningMs: 5_000, finishedMs: 1 })).toBe(1);
    expect(await metrics.points(jobId, { limit: 9 })).toHaveLength(1);
  });
});
