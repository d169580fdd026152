import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { costUsd } from '@dstack/core';
import { CostsService } from '../src/costs/costs.service.js';
import { pricedForRun } from '../src/costs/held-machines.js';
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

  it('are paid for by the run that had the machine, also those of machines that failed to start', async () => {
    const db = await open();
    const HOUR = 3_600_000;
    const { userId, projectId, runId, jobId } = await seedJob(db);
    const instance = async (
      num: number,
      price: number,
      [from, until]: readonly [number, number | null],
      jobOfIt: string | null,
    ) => {
      const id = randomUUID();
      await db.write(async (tx) => {
        await tx.execute(
          `INSERT INTO instances (id, project_id, instance_num, name, status, status_changed_at, created_at, total_blocks, provisioning_job_id)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          [id, projectId, num, `i-${num}`, 'busy', 1, 1, 2, jobOfIt],
        );
        await beginPricedInterval(tx, { id: randomUUID(), instanceId: id, projectId, price, now: from });
        if (until !== null) await endPricedInterval(tx, id, until);
      });
      return id;
    };
    const now = Date.now();
    await instance(0, 1, [now - 5 * HOUR, now - 4 * HOUR], jobId); // failed to start
    const shared = await instance(1, 4, [now - 10 * HOUR, now], null);
    await db.write((tx) =>
      tx.execute('UPDATE jobs SET used_instance_id = ?, blocks = 1, assigned_at = ?, finished_at = ? WHERE id = ?', [
        shared,
        now - 3 * HOUR,
        now - HOUR,
        jobId,
      ]),
    );
    // One hour of the first; half of the second for two.
    const priced = await db.read((tx) => pricedForRun(tx, runId));
    expect(costUsd(priced, now)).toBe(5);
    const owner = { id: userId, name: 'x', globalRole: 'admin' } as const;
    const { projects } = await new CostsService(db).list(owner, {});
    expect(projects).toEqual([
      { project_name: 'main', cost: 41, unused_cost: 36, users: [{ username: `user-${userId}`, cost: 5 }] },
    ]);
    const since = new Date(now - 2 * HOUR).toISOString();
    expect((await new CostsService(db).list(owner, { since })).projects[0]).toMatchObject({ cost: 8, unused_cost: 6 });
    const stranger = { ...owner, id: randomUUID(), globalRole: 'user' } as const;
    expect((await new CostsService(db).list(stranger, {})).projects).toEqual([]);
  });
});
