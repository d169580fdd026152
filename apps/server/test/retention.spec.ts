import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Uploads } from '../src/files/uploads.js';
import { FileLogStore } from '../src/logs/file-log-store.js';
import type { LogStore } from '../src/logs/log-store.js';
import { SqlLogStore } from '../src/logs/sql-log-store.js';
import type { Database } from '../src/persistence/database.js';
import { Retention } from '../src/retention/retention.js';
import { readSettings } from '../src/settings/read-settings.js';
import { realWorld } from '../src/world/real-world.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

const NOW = 1_000_000_000;
const DAY = 24 * 3_600;
const long = NOW - 10 * DAY * 1_000;

describe.each(testDatabases())('what is left of finished runs on $name', ({ name, open }) => {
  let db: Database;
  let logs: LogStore;
  let dir: string;
  beforeAll(async () => {
    db = await open();
    dir = mkdtempSync(join(tmpdir(), 'dstack-retention-'));
    logs = name === 'SQLite' ? new FileLogStore(dir) : new SqlLogStore(db, realWorld().scheduler);
  });
  afterAll(async () => {
    await logs.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const retention = (env: Record<string, string>): Retention =>
    new Retention(db, logs, new Uploads(null), readSettings(env).settings, {
      ...realWorld(),
      clock: { now: () => NOW },
    });

  /** A run with a log and an archive that it uses. */
  const seed = async (run: string, finishedAt: number | null) => {
    const row = await seedJob(db, { project: `project-${run}`, run });
    const archive = `archive-${run}`;
    const status = finishedAt === null ? 'running' : 'done';
    await db.write(async (tx) => {
      const spec = JSON.stringify({ file_archives: [{ id: archive, path: '/x' }] });
      await tx.execute('UPDATE runs SET status = ?, finished_at = ?, run_spec = ? WHERE id = ?', [status, finishedAt, spec, row.runId]); // prettier-ignore
      await tx.execute('UPDATE jobs SET status = ?, finished_at = ? WHERE id = ?', [status, finishedAt, row.jobId]);
      await tx.execute(
        'INSERT INTO file_archives (id, user_id, blob_hash, content, created_at) VALUES (?, ?, ?, ?, ?)',
        [archive, row.userId, run, Buffer.from('x'), long],
      );
    });
    const key = { projectName: `project-${run}`, runName: run, jobId: row.jobId, stream: 'job' } as const;
    await logs.append(key, 0, [{ at: 1, payload: Buffer.from(run) }]);
    return { ...row, key };
  };
  const left = (table: string) => db.read((tx) => tx.query<{ id: string }>(`SELECT id FROM ${table} ORDER BY id`));

  it('stays without a setting, and goes by its settings', async () => {
    const [old, young, running] = [await seed('old', long), await seed('young', NOW - 1_000), await seed('busy', null)];
    expect(await retention({}).tidy()).toEqual({ logs: 0, runs: 0, uploads: 0, ended: 0 });

    const week = String(7 * DAY);
    expect(await retention({ DSTACK_SERVER_LOGS_TTL_SECONDS: week }).tidy()).toMatchObject({ logs: 1, runs: 0 });
    expect(await Promise.all([old, young, running].map(({ key }) => logs.endOffset(key)))).toEqual([0, 5, 4]);
    expect(await retention({ DSTACK_SERVER_LOGS_TTL_SECONDS: week }).tidy()).toMatchObject({ logs: 0 });

    expect(await retention({ DSTACK_SERVER_UPLOADS_TTL_SECONDS: week }).tidy()).toMatchObject({ uploads: 2 });
    expect(await left('file_archives')).toEqual([{ id: 'archive-busy' }]);

    // Its machine is not given up yet.
    await db.write((tx) => tx.execute('UPDATE jobs SET next_due_at = 1 WHERE id = ?', [old.jobId]));
    expect(await retention({ DSTACK_SERVER_RUNS_TTL_SECONDS: week }).tidy()).toMatchObject({ runs: 0 });
    await db.write((tx) => tx.execute('UPDATE jobs SET next_due_at = NULL WHERE id = ?', [old.jobId]));
    expect(await retention({ DSTACK_SERVER_RUNS_TTL_SECONDS: week }).tidy()).toMatchObject({ runs: 1 });
    expect(await left('jobs')).toEqual(
      [{ id: young.jobId }, { id: running.jobId }].sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
  });
});
