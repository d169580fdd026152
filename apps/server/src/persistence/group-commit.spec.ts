import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import type { Engine, Runner } from './engine.js';
import { GroupCommit } from './group-commit.js';

/** Writes down what it is told; the commit may be told to fail. */
function scene({ commitFails = false, beginFails = false } = {}) {
  const log: string[] = [];
  const runner = {
    isTransactionActive: true,
    query: async (sql: string) => void log.push(sql),
    commitTransaction: async () => {
      if (commitFails) throw new Error('disk full');
      log.push('COMMIT');
    },
    rollbackTransaction: async () => void log.push('ROLLBACK'),
  };
  const engine = {
    beginWrite: async ({ durable }: { durable: boolean }) => {
      await turn();
      if (beginFails) throw new Error('locked');
      log.push(durable ? 'BEGIN durable' : 'BEGIN');
      return runner as unknown as Runner; // the part of one that a group uses
    },
    end: async () => void log.push('END'),
  };
  const groups = new GroupCommit(engine as unknown as Engine);
  const write = (name: string, durable = false) => groups.run(durable, async () => (log.push(name), name));
  return { log, groups, write };
}

describe('write transactions that wait for the one writer', () => {
  it('are committed together', async () => {
    const { log, write } = scene();
    expect(await Promise.all([write('a'), write('b'), write('c')])).toEqual(['a', 'b', 'c']);
    expect(log.filter((each) => !/SAVEPOINT|RELEASE/.test(each))).toEqual(['BEGIN', 'a', 'b', 'c', 'COMMIT', 'END']);
  });

  it('hear of success after the commit only', async () => {
    const { log, write } = scene();
    await Promise.all([write('a').then(() => log.push('told a')), write('b')]);
    expect(log.indexOf('told a')).toBeGreaterThan(log.indexOf('COMMIT'));
  });

  it('fail alone, and leave nothing behind', async () => {
    const { log, groups, write } = scene();
    const failing = groups.run(false, () => Promise.reject(new Error('changed my mind')));
    const [failed, kept] = await Promise.allSettled([failing, write('b')]);
    expect([failed.status, kept.status]).toEqual(['rejected', 'fulfilled']);
    expect(log).toEqual(['BEGIN', 'SAVEPOINT one', 'ROLLBACK TO one', 'RELEASE one', 'SAVEPOINT one', 'b', 'RELEASE one', 'COMMIT', 'END']); // prettier-ignore
  });

  it.each([{ commitFails: true }, { beginFails: true }])('all fail when %j', async (how) => {
    const { groups, write } = scene(how);
    const failing = groups.run(false, () => Promise.reject(new Error('changed my mind')));
    const ends = await Promise.allSettled([write('a'), failing, write('b')]);
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    const after = await Promise.allSettled([write('c')]);
    expect(after[0].status).toBe('rejected'); // the next group is tried anew, and is told too
  });

  it('wait for the disk together when one of them has to', async () => {
    const { log, write } = scene();
    await Promise.all([write('a'), write('b', true)]);
    expect(log.filter((each) => each.startsWith('BEGIN'))).toEqual(['BEGIN durable']);
  });

  it('that have to wait for the disk never join a group that does not', async () => {
    const { log, groups, write } = scene();
    let later: Promise<string> | undefined;
    await groups.run(false, async () => void (later = write('b', true)));
    await later;
    expect(log.filter((each) => /BEGIN|^b$/.test(each))).toEqual(['BEGIN', 'BEGIN durable', 'b']);
  });

  it('do not hold the writer without end', async () => {
    const { log, write } = scene();
    await Promise.all(Array.from({ length: 70 }, (_, index) => write(`w${index}`)));
    expect(log.filter((each) => each === 'COMMIT')).toHaveLength(3);
  });

  it('run in the context of who asked', async () => {
    const who = new AsyncLocalStorage<string>();
    const { groups } = scene();
    const ask = (name: string) => who.run(name, () => groups.run(false, async () => who.getStore()));
    expect(await Promise.all([ask('alice'), ask('bob')])).toEqual(['alice', 'bob']);
  });
});
