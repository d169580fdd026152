import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Decision } from '@dstack/core';
import type { Database } from '../../src/persistence/database.js';
import type { ReadTx, WriteTx } from '../../src/persistence/transaction.js';
import { claimDue, LEASE_MS, releaseLease, renewLease } from '../../src/reconcile/claims.js';
import { EffectLimiter } from '../../src/reconcile/effect-limiter.js';
import { Notices } from '../../src/reconcile/notices.js';
import { relayNotices } from '../../src/reconcile/postgres-notices.js';
import { ReconcileLoop } from '../../src/reconcile/reconcile-loop.js';
import { reconcilePass } from '../../src/reconcile/reconcile-pass.js';
import { readTogether, writeTogether } from '../../src/persistence/together.js';
import type { Observed, Reconciler } from '../../src/reconcile/reconciler.js';
import { Wake } from '../../src/reconcile/wake.js';
import { realWorld } from '../../src/world/real-world.js';
import { testDatabases } from '../support/test-databases.js';
import { seedJob } from '../support/workload-rows.js';

type TestDecision = Decision<string, 'effect', object>;
const world = realWorld();

/** Counts in `exit_status`, so that a test sees how often something was committed. */
class CountingReconciler implements Reconciler<number, TestDecision> {
  readonly table = 'jobs';
  readonly concurrency = 4;
  dueAt: number | null = null;
  effects: readonly 'effect'[] = ['effect'];
  during: (signal: AbortSignal) => Promise<void> = async () => undefined;
  restsOn: Observed<number>['restsOn'] = [];

  async observe(id: string, tx: ReadTx): Promise<Observed<number>> {
    const [row] = await tx.query<{ exit_status: number | null }>('SELECT exit_status FROM jobs WHERE id = ?', [id]);
    return { snapshot: row?.exit_status ?? 0, restsOn: this.restsOn };
  }
  decide(): TestDecision {
    return { status: 'running', changes: {}, effects: this.effects, dueAt: this.dueAt, because: null };
  }
  isOutside(): boolean {
    return true;
  }
  accountOf(): string {
    return 'account';
  }
  async act(_effect: 'effect', { signal }: { signal: AbortSignal }): Promise<void> {
    await this.during(signal);
  }
  async commit(tx: WriteTx, { id, snapshot }: { id: string; snapshot: number }): Promise<void> {
    await tx.execute('UPDATE jobs SET exit_status = ? WHERE id = ?', [snapshot + 1, id]);
  }
}

describe.each(testDatabases())('the reconcile engine on $name', ({ open }) => {
  let db: Database;
  let id: string;
  let runId: string;
  let reconciler: CountingReconciler;

  beforeEach(async () => {
    db = await open();
    ({ jobId: id, runId } = await seedJob(db, { project: `p-${randomUUID()}`, run: 'train' }));
    reconciler = new CountingReconciler();
  });

  const makeDue = (jobId: string): Promise<number> =>
    db.write((tx) => tx.execute('UPDATE jobs SET next_due_at = 1 WHERE id = ?', [jobId]));
  const claim = (holder = 'a', limit = 10) =>
    db.write(async (tx) => claimDue(tx, { table: 'jobs', holder, limit, now: await tx.now() }));
  const row = async () => {
    const [found] = await db.read((tx) =>
      tx.query<{
        exit_status: number | null;
        next_due_at: number | null;
        rev: number;
        lease_expires_at: number | null;
      }>('SELECT exit_status, next_due_at, rev, lease_expires_at FROM jobs WHERE id = ?', [id]),
    );
    return found;
  };
  const pass = (leaseToken: number) =>
    reconcilePass(
      reconciler as never,
      { id, leaseToken },
      {
        db,
        world,
        limiter: new EffectLimiter(2),
        signal: new AbortController().signal,
        observing: readTogether(db),
        committing: writeTogether(db),
      },
    );
  const claimOne = async (): Promise<number> => {
    await makeDue(id);
    const [claimed] = await claim();
    return claimed?.leaseToken ?? -1;
  };

  it('commits what was decided and lets the row rest', async () => {
    expect(await pass(await claimOne())).toBe('committed');
    expect(await row()).toMatchObject({ exit_status: 1, next_due_at: null, rev: 1, lease_expires_at: null });
  });

  it('looks again at the first whole millisecond that is not before the deadline', async () => {
    reconciler.dueAt = 4_000_000_000_000.25;
    await pass(await claimOne());
    expect(await row()).toMatchObject({ next_due_at: 4_000_000_000_001 });
  });

  it('never gives one row to two servers', async () => {
    const ids = [id];
    for (let made = 0; made < 19; made += 1)
      ids.push((await seedJob(db, { project: `p-${randomUUID()}`, run: 'x' })).jobId);
    for (const each of ids) await makeDue(each);
    const claims = (await Promise.all(['a', 'b', 'c', 'd'].map((holder) => claim(holder, 20)))).flat();
    expect(claims.map((each) => each.id).sort()).toEqual([...ids].sort());
  });

  it('keeps a wake-up that arrives while an effect runs', async () => {
    const token = await claimOne();
    const wake = new Wake(new Notices());
    reconciler.during = async () => {
      await db.write((tx) => wake.rows(tx, 'jobs', [id]));
    };
    expect(await pass(token)).toBe('committed');
    expect((await row())?.next_due_at).not.toBeNull();
  });

  it('writes nothing when its lease was lost', async () => {
    const token = await claimOne();
    reconciler.during = async () => {
      await db.write((tx) => tx.execute('UPDATE jobs SET lease_expires_at = 0 WHERE id = ?', [id]));
      expect(await claim('b')).toHaveLength(1);
    };
    expect(await pass(token)).toBe('lease-lost');
    expect((await row())?.exit_status).toBeNull();
    expect((await row())?.lease_expires_at).not.toBeNull();
  });

  it('does nothing at all with a lease that is no longer its own', async () => {
    const token = await claimOne();
    let acted = false;
    reconciler.during = async () => {
      acted = true;
    };
    expect(await pass(token - 1)).toBe('lease-lost');
    expect(acted).toBe(false);
  });

  it('writes nothing when the row moved, and looks again', async () => {
    const token = await claimOne();
    reconciler.during = async () => {
      await db.write((tx) => tx.execute('UPDATE jobs SET rev = rev + 1 WHERE id = ?', [id]));
    };
    expect(await pass(token)).toBe('moved');
    const after = await row();
    expect(after).toMatchObject({ exit_status: null, lease_expires_at: null });
    expect(after?.next_due_at).toBeLessThanOrEqual(Date.now());
  });

  it('looks again at once when the row moved only once', async () => {
    const token = await claimOne();
    let looks = 0;
    reconciler.during = async () => {
      looks += 1;
      if (looks === 1) await db.write((tx) => tx.execute('UPDATE jobs SET rev = rev + 1 WHERE id = ?', [id]));
    };
    expect(await pass(token)).toBe('committed');
    expect(looks).toBe(2);
    expect(await row()).toMatchObject({ exit_status: 1, next_due_at: null, rev: 2, lease_expires_at: null });
  });

  it('writes nothing when another row moved that the decision rested on', async () => {
    const token = await claimOne();
    reconciler.restsOn = [{ table: 'runs', id: runId, rev: 0 }];
    reconciler.during = async () => {
      await db.write((tx) => tx.execute('UPDATE runs SET rev = rev + 1 WHERE id = ?', [runId]));
    };
    expect(await pass(token)).toBe('moved');
    expect((await row())?.exit_status).toBeNull();
  });

  it('renews only what it still holds', async () => {
    const token = await claimOne();
    const renew = (leaseToken: number) =>
      db.write(async (tx) => renewLease(tx, 'jobs', { id, leaseToken }, await tx.now()));
    expect([await renew(token), await renew(token - 1)]).toEqual([true, false]);
    expect((await row())?.lease_expires_at).toBeGreaterThan(Date.now() + LEASE_MS / 2);
  });

  it('does not bring a lease back to life that was given back', async () => {
    const leaseToken = await claimOne();
    expect(await pass(leaseToken)).toBe('committed');
    expect(await db.write(async (tx) => renewLease(tx, 'jobs', { id, leaseToken }, await tx.now()))).toBe(false);
    expect((await row())?.lease_expires_at).toBeNull();
  });

  it('leaves a row alone that was given back, when it learns too late that its commit was done', async () => {
    const leaseToken = await claimOne();
    expect(await pass(leaseToken)).toBe('committed');
    await db.write((tx) => releaseLease(tx, 'jobs', { id, leaseToken }, 5));
    expect((await row())?.next_due_at).toBeNull();
  });

  it('finds a row whose notice was lost', async () => {
    const notices = new Notices();
    const loop = new ReconcileLoop(reconciler as never, {
      db, world, limiter: new EffectLimiter(2), signal: new AbortController().signal, holder: 'a', notices,
      onError: (error) => {
        throw error;
      },
    }); // prettier-ignore
    loop.start();
    await makeDue(id); // nobody is told
    const deadline = Date.now() + 10_000;
    while ((await row())?.exit_status !== 1) {
      if (Date.now() > deadline) throw new Error('the sweep did not find it');
      await new Promise((resolve) => setImmediate(resolve));
    }
    await loop.stop();
    expect(await row()).toMatchObject({ exit_status: 1, next_due_at: null });
  });
});

describe.each(testDatabases().filter(({ name }) => name === 'Postgres'))(
  'notices between replicas on $name',
  ({ open }) => {
    it('reach the other replica, and come as one when many are sent', async () => {
      const url = (await open()).noticesUrl ?? '';
      const [mine, theirs] = [new Notices(), new Notices()];
      const fail = (error: unknown): void => {
        throw error;
      };
      const relays = [await relayNotices(url, mine, fail), await relayNotices(url, theirs, fail)];
      const heard: string[] = [];
      const arrived = new Promise<void>((resolve) => {
        theirs.listen('jobs', () => {
          heard.push('jobs');
          resolve();
        });
      });
      for (let sent = 0; sent < 50; sent += 1) mine.notify('jobs');
      await arrived;
      for (const relay of relays) await relay.stop();
      expect(heard).toEqual(['jobs']);
    });
  },
);

it('lets a hung account stop only itself', async () => {
  const limiter = new EffectLimiter(1);
  let release: () => void = () => undefined;
  const hung = limiter.run('hung', () => new Promise<void>((resolve) => (release = resolve)));
  const behind = limiter.run('hung', async () => 'behind');
  await expect(limiter.run('other', async () => 'other')).resolves.toBe('other');
  release();
  await hung;
  await expect(behind).resolves.toBe('behind');
});
