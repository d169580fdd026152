import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Database } from '../src/persistence/database.js';
import { inserter, insertAtEnd } from '../src/persistence/insert-rows.js';
import { rowsByKey } from '../src/persistence/rows-by-key.js';
import { readTogether, type WriteTogether, writeTogether } from '../src/persistence/together.js';
import type { WriteTx } from '../src/persistence/transaction.js';
import { updateById } from '../src/persistence/update-by-id.js';
import { testDatabases } from './support/test-databases.js';

interface Row {
  readonly id: string;
  readonly kind: string;
  readonly n: number | null;
}

const insert = inserter('things', ['id', 'kind', 'n']);
const byKind = rowsByKey<Row, Row>({ select: 'SELECT id, kind, n FROM things', key: 'kind', read: (_tx, row) => row });
const change = updateById({
  table: 'things',
  values: { kind: 'text', n: 'bigint' },
  set: (value) => `n = COALESCE(t.n, ${value('n')}), kind = ${value('kind')}`,
});

describe.each(testDatabases())('works of many rows on $name', ({ open }) => {
  let db: Database;
  let together: WriteTogether;
  let transactions: Set<WriteTx>;

  beforeEach(async () => {
    db = await open();
    await db.write((tx) =>
      tx.execute('CREATE TABLE things (id varchar(36) NOT NULL PRIMARY KEY, kind text NOT NULL, n bigint NULL)'),
    );
    together = writeTogether(db);
    transactions = new Set();
  });

  const all = () => db.read((tx) => tx.query<Row>('SELECT id, kind, n FROM things ORDER BY id'));
  const make = (id: string, kind: string) => (tx: WriteTx) => {
    transactions.add(tx);
    return insert(tx, { id, kind, n: null });
  };

  it('share one transaction, and each gets its own result', async () => {
    const kinds = ['x', `it's "y", \\ {z}`, 'x'];
    const results = await Promise.all(
      kinds.map((kind, index) =>
        together.run(async (tx) => {
          await make(String(index), kind)(tx);
          return index;
        }),
      ),
    );
    expect(results).toEqual([0, 1, 2]);
    expect(transactions.size).toBe(1);
    const found = await Promise.all([...kinds, 'nobody'].map((kind) => readTogether(db).run((tx) => byKind(tx, kind))));
    expect(found.map((rows) => rows.length)).toEqual([2, 1, 2, 0]);
    expect(await all()).toEqual(kinds.map((kind, index) => ({ id: String(index), kind, n: null })));
  });

  it('do not take each other back: one that fails fails alone', async () => {
    const results = await Promise.allSettled([
      together.run(make('a', 'x')),
      together.run(async (tx) => {
        await make('b', 'x')(tx);
        throw new Error('no');
      }),
      together.run(make('c', 'x')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await all()).map(({ id }) => id)).toEqual(['a', 'c']);
  });

  it('fail alone when what is written at the end is refused', async () => {
    const late = (id: string) => async (tx: WriteTx) => insertAtEnd(tx, 'things', { id, kind: 'late', n: 1 });
    const results = await Promise.allSettled([
      together.run(late('a')),
      together.run(late('a')),
      together.run(late('b')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await all()).map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('keep apart what must not be decided at the same time', async () => {
    await Promise.all([
      together.run(make('a', 'x'), ['one']),
      together.run(make('b', 'x'), ['one']),
      together.run(make('c', 'x'), ['two']),
    ]);
    expect(transactions.size).toBe(2);
  });

  it('change many rows at once, each as it is', async () => {
    await Promise.all(['a', 'b', 'c'].map((id) => together.run(make(id, 'x'))));
    await db.write((tx) => tx.execute(`UPDATE things SET n = 7 WHERE id = 'b'`));
    await db.write((tx) =>
      Promise.all([
        change(tx, { id: 'a', kind: `"it's" {\\}`, n: 1 }),
        change(tx, { id: 'b', kind: 'NULL', n: 2 }),
        change(tx, { id: 'gone', kind: 'x', n: null }),
      ]),
    );
    expect(await all()).toEqual([
      { id: 'a', kind: `"it's" {\\}`, n: 1 },
      { id: 'b', kind: 'NULL', n: 7 },
      { id: 'c', kind: 'x', n: null },
    ]);
  });
});
