import { NO_TRAFFIC, TRAFFIC_TTL_MS, type TrafficReport } from '@dstack/core';
import type { Database } from '../src/persistence/database.js';
import { Notices } from '../src/reconcile/notices.js';
import { Wake } from '../src/reconcile/wake.js';
import { ServiceTrafficStore } from '../src/services/service-traffic.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

const traffic = (requests: number, held = 0): TrafficReport => ({
  groups: { '0': [{ seconds: 60, requests, meanMs: 10 }] },
  inFlight: {},
  held,
});

const START = 1_000_000;

describe.each(testDatabases())('the traffic of services on $name', ({ open }) => {
  async function scene(): Promise<{ db: Database; store: ServiceTrafficStore; runId: string; jobId: string }> {
    const db = await open();
    const { runId, jobId } = await seedJob(db);
    return { db, store: new ServiceTrafficStore(db, new Wake(new Notices())), runId, jobId };
  }

  const wakes = (db: Database, runId: string) =>
    db.write(async (tx) => {
      const [row] = await tx.query<{ wake_seq: number }>('SELECT wake_seq FROM runs WHERE id = ?', [runId]);
      // Taken by whoever was woken.
      await tx.execute('UPDATE runs SET next_due_at = NULL WHERE id = ?', [runId]);
      return Number(row?.wake_seq);
    });

  it('is the sum of what the live proxies last told', async () => {
    const { store, runId } = await scene();
    await store.report(runId, 'server-1', traffic(7));
    await store.report(runId, 'gateway-1', traffic(3));
    await store.report(runId, 'server-1', traffic(8));
    const now = Date.now();
    expect((await store.read(runId, now)).groups['0']).toEqual([{ seconds: 60, requests: 11, meanMs: 10 }]);
    expect(await store.read(runId, now + TRAFFIC_TTL_MS + 60_000)).toEqual(NO_TRAFFIC);
  });

  it('is none where nobody has told any, and of no interest for a run that is gone', async () => {
    const { store, runId } = await scene();
    expect(await store.read(runId, START)).toEqual(NO_TRAFFIC);
    await store.report('00000000-0000-4000-8000-000000000000', 'server-1', traffic(1));
  });

  it('wakes the run when it begins, not while it goes on', async () => {
    const { db, store, runId } = await scene();
    await store.report(runId, 'server-1', traffic(0));
    expect(await wakes(db, runId)).toBe(0);
    await store.report(runId, 'server-1', traffic(5));
    expect(await wakes(db, runId)).toBe(1);
    await store.report(runId, 'server-1', traffic(6));
    expect(await wakes(db, runId)).toBe(1);
  });

  it('wakes the run for as long as requests wait and no replica is ready', async () => {
    const { db, store, runId, jobId } = await scene();
    await store.report(runId, 'server-1', traffic(5, 1));
    expect(await wakes(db, runId)).toBe(1);
    await store.report(runId, 'server-1', traffic(5, 2));
    expect(await wakes(db, runId)).toBe(2);
    await db.write((tx) => tx.execute('UPDATE jobs SET registered = ? WHERE id = ?', [true, jobId]));
    await store.report(runId, 'server-1', traffic(5, 1));
    expect(await wakes(db, runId)).toBe(2);
  });
});
