import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Database } from '../../src/persistence/database.js';
import { claimDue, renewLease } from '../../src/reconcile/claims.js';
import { forgetLife } from '../../src/reconcile/forget-former-life.js';
import { testDatabases } from '../support/test-databases.js';
import { seedJob } from '../support/workload-rows.js';

describe.each(testDatabases())('the leases of a server that is gone on $name', ({ open }) => {
  let db: Database;
  let id: string;

  beforeEach(async () => {
    db = await open();
    ({ jobId: id } = await seedJob(db));
    await db.write((tx) => tx.execute('UPDATE jobs SET next_due_at = 1'));
  });

  const claim = (holder: string) =>
    db.write(async (tx) => claimDue(tx, { table: 'jobs', holder, limit: 10, now: await tx.now() }));

  it('are taken at once, and what it still sends is refused', async () => {
    const [old] = await claim('gone');
    expect(await claim('next')).toEqual([]);
    await db.write((tx) => forgetLife(tx, 'gone'));
    expect(await db.write(async (tx) => old && renewLease(tx, 'jobs', old, await tx.now()))).toBe(false);
    const [taken] = await claim('next');
    expect(taken?.id).toBe(id);
    expect(taken?.leaseToken).toBeGreaterThan(old?.leaseToken ?? Infinity);
  });

  it('are all that is taken: another server keeps its own', async () => {
    await claim('another');
    await db.write((tx) => forgetLife(tx, 'gone'));
    expect(await claim('next')).toEqual([]);
  });
});
