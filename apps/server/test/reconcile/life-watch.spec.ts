import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Database } from '../../src/persistence/database.js';
import { claimDue } from '../../src/reconcile/claims.js';
import { LifeWatch } from '../../src/reconcile/life-watch.js';
import { Notices } from '../../src/reconcile/notices.js';
import { realWorld } from '../../src/world/real-world.js';
import { testDatabases } from '../support/test-databases.js';
import { seedJob } from '../support/workload-rows.js';

describe.each(testDatabases())('servers of one database that watch each other, $name', ({ open }) => {
  let db: Database;
  let now: number;
  let gone: string[];
  let told: number;

  beforeEach(async () => {
    db = await open();
    await seedJob(db);
    await db.write((tx) => tx.execute('UPDATE jobs SET next_due_at = 1'));
    now = 0;
    gone = [];
    told = 0;
  });

  const server = (holder: string): LifeWatch => {
    const notices = new Notices();
    notices.listen('jobs', () => (told += 1));
    const world = { clock: { now: () => now }, scheduler: realWorld().scheduler };
    return new LifeWatch({ db, world, notices, holder, onGone: (dead) => gone.push(dead) });
  };
  const claim = (holder: string) =>
    db.write(async (tx) => claimDue(tx, { table: 'jobs', holder, limit: 10, now: await tx.now() }));
  const seconds = async (count: number, ...looking: readonly LifeWatch[]): Promise<void> => {
    for (let second = 0; second < count; second += 1) {
      now += 1_000;
      for (const each of looking) await each.look();
    }
  };

  it('take the work of one that is silent, once', async () => {
    const [first, second, third] = [server('first'), server('second'), server('third')];
    await seconds(3, first, second, third);
    expect(await claim('third')).toHaveLength(1);
    await seconds(5, first, second);
    expect(await claim('first')).toEqual([]);
    await seconds(1, first, second);
    expect([gone, told]).toEqual([['third'], 1]);
    expect(await claim('first')).toHaveLength(1);
  });

  it('leave those alone that live', async () => {
    const [first, second] = [server('first'), server('second')];
    await claim('second');
    await seconds(20, first, second);
    expect(gone).toEqual([]);
    expect(await claim('first')).toEqual([]);
  });

  it('do not miss one that said goodbye', async () => {
    const [first, second] = [server('first'), server('second')];
    await seconds(2, first, second);
    await second.stop();
    await seconds(20, first);
    expect(gone).toEqual([]);
  });
});
