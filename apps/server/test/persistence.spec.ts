import { NestedTransactionError } from '../src/persistence/errors.js';
import type { Database } from '../src/persistence/database.js';
import { testDatabases } from './support/test-databases.js';

const lease = (name: string): [string, string[]] => ['INSERT INTO leases (name, holder) VALUES (?, ?)', [name, 'x']];

async function leaseNames(db: Database): Promise<string[]> {
  const rows = await db.read((tx) => tx.query<{ name: string }>('SELECT name FROM leases ORDER BY name'));
  return rows.map((row) => row.name);
}

function signal(): { readonly given: Promise<void>; give(): void } {
  let give: () => void = () => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}

describe.each(testDatabases())('database on $name', ({ open }) => {
  it('keeps the work of one transaction when an overlapping one rolls back', async () => {
    const db = await open();
    const started = signal();
    const failing = db.write(async (tx) => {
      await tx.execute(...lease('a'));
      started.give();
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error('changed my mind');
    });
    await started.given;
    const kept = db.write((tx) => tx.execute(...lease('b')));
    await expect(failing).rejects.toThrow('changed my mind');
    await kept;
    expect(await leaseNames(db)).toEqual(['b']);
  });

  it('stores all of 50 parallel transactions', async () => {
    const db = await open();
    const names = Array.from({ length: 50 }, (_, index) => `n${String(index).padStart(2, '0')}`);
    await Promise.all(names.map((name) => db.write((tx) => tx.execute(...lease(name)))));
    expect(await leaseNames(db)).toEqual(names);
  });

  it('shows readers committed rows only, and one snapshot throughout', async () => {
    const db = await open();
    const elsewhere = signal();
    const [seen] = await Promise.all([
      db.read(async (tx) => {
        const before = await tx.query('SELECT name FROM leases');
        await elsewhere.given;
        return before;
      }),
      db.read((tx) => tx.query('SELECT 1')).then(elsewhere.give),
    ]);
    expect(seen).toEqual([]);
    const started = signal();
    const finish = signal();
    const writing = db.write(async (tx) => {
      await tx.execute(...lease('a'));
      started.give();
      await finish.given;
    });
    await started.given;
    expect(await leaseNames(db)).toEqual([]);
    finish.give();
    await writing;
    expect(await leaseNames(db)).toEqual(['a']);
  });

  it('refuses a transaction inside a transaction instead of waiting for itself', async () => {
    const db = await open();
    await expect(db.write(() => db.write(async () => undefined))).rejects.toBeInstanceOf(NestedTransactionError);
    await expect(db.write((tx) => tx.execute(...lease('later')))).resolves.toBe(1);
  });

  it('runs after-commit tasks once the row is visible, and none after a rollback', async () => {
    const db = await open();
    const calls: string[] = [];
    let visible: Promise<string[]> | undefined;
    await db.write(async (tx) => {
      await tx.execute(...lease('a'));
      tx.afterCommit(() => {
        visible = leaseNames(db);
      });
      expect(visible).toBeUndefined();
    });
    expect(await visible).toEqual(['a']);
    const failing = db.write(async (tx) => {
      tx.afterCommit(() => calls.push('never'));
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(calls).toEqual([]);
  });

  it('returns booleans, big integers and bytes alike, and counts changed rows', async () => {
    const db = await open();
    const now = 1_790_000_000_123;
    await db.writeDurable(async (tx) => {
      await tx.execute(
        `INSERT INTO users (id, name, token_hash, token, global_role, active, projects_quota, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        ['u', 'ann?', 'h', 't', 'user', false, 10, now],
      );
      await tx.execute(
        `INSERT INTO projects (id, name, owner_id, ssh_public_key, ssh_private_key, created_at) VALUES ('p', 'x', 'u', '', '', 0)`,
      );
      await tx.execute(
        `INSERT INTO repos (id, project_id, name, type, info, created_at) VALUES ('r', 'p', 'x', 'virtual', '{}', 0)`,
      );
      await tx.execute('INSERT INTO codes (id, repo_id, blob_hash, content, created_at) VALUES (?, ?, ?, ?, ?)', [
        'c',
        'r',
        'h',
        Buffer.from([0, 255]),
        0,
      ]);
    });
    const found = await db.read((tx) =>
      tx.query(
        `SELECT active, deleted, created_at, name FROM users WHERE name = 'ann?' AND deleted = false AND id = ?`,
        ['u'],
      ),
    );
    expect(found.map((row) => ({ ...row }))).toEqual([
      { active: false, deleted: false, created_at: now, name: 'ann?' },
    ]);
    const [code] = await db.read((tx) => tx.query<{ content: Buffer }>('SELECT content FROM codes'));
    expect([...(code?.content ?? [])]).toEqual([0, 255]);
    const changed = await db.write(async (tx) => [
      await tx.execute(`UPDATE users SET active = true WHERE id = 'u'`),
      await tx.execute(`UPDATE users SET active = true WHERE id = 'nobody'`),
      (await tx.query<{ active: boolean }>(`UPDATE users SET active = true RETURNING active`))[0]?.active,
    ]);
    expect(changed).toEqual([1, 0, true]);
  });

  it('lets timers run while thousands of transactions follow each other', async () => {
    const db = await open();
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    for (let index = 0; index < 300; index += 1) await db.write((tx) => tx.execute(...lease(`l${index}`)));
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(3);
  });
});
