import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { beginPricedInterval, endPricedInterval } from '../src/instances/priced-intervals.js';
import type { Database } from '../src/persistence/database.js';
import { seedJob } from './support/workload-rows.js';
import { testDatabases } from './support/test-databases.js';

const STARTED = 1_000_000;

describe.each(testDatabases())('priced intervals on $name', ({ open }) => {
  const begin = async (db: Database): Promise<string> => {
    const { projectId } = await seedJob(db);
    const [id, instanceId] = [randomUUID(), randomUUID()];
    await db.write(async (tx) => {
      await tx.execute(
        `INSERT INTO instances (id, project_id, instance_num, name, status, status_changed_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
        [instanceId, projectId, 0, 'i', 'busy', 1, 1],
      );
      await beginPricedInterval(tx, { id, instanceId, projectId, price: 2.5, now: STARTED });
    });
    return instanceId;
  };

  it.each([
    ['when the machine is gone', STARTED + 5, STARTED + 5],
    ['when it began, by a clock that was set back', STARTED - 5, STARTED],
  ])('end %s', async (_when, now, endedAt) => {
    const db = await open();
    const instanceId = await begin(db);
    await db.write((tx) => endPricedInterval(tx, instanceId, now));
    const rows = await db.read((tx) =>
      tx.query('SELECT price_usd_per_hour, started_at, ended_at FROM priced_intervals', []),
    );
    expect(rows).toEqual([{ price_usd_per_hour: 2.5, started_at: STARTED, ended_at: endedAt }]);
  });

  it('that have ended stay as they are', async () => {
    const db = await open();
    const instanceId = await begin(db);
    await db.write((tx) => endPricedInterval(tx, instanceId, STARTED + 5));
    await db.write((tx) => endPricedInterval(tx, instanceId, STARTED + 9));
    const rows = await db.read((tx) => tx.query('SELECT ended_at FROM priced_intervals', []));
    expect(rows).toEqual([{ ended_at: STARTED + 5 }]);
  });
});
