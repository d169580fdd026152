import type { QueryRunner } from 'typeorm';
import { beginPricedInterval } from '../src/instances/priced-intervals.js';
import { ForgottenMachines1764109000000 } from '../src/migrations/1764109000000-forgotten-machines.js';
import { ALL_MIGRATIONS } from '../src/migrations/all-migrations.js';
import { migrate, type MigrationClass } from '../src/persistence/migrate.js';
import { openDatabase } from '../src/persistence/open-database.js';
import { realWorld } from '../src/world/real-world.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

const world = realWorld();

describe.each(testDatabases())('migrations on $name', ({ empty }) => {
  it('run once when two servers start together', async () => {
    const at = await empty();
    const databases = await Promise.all([openDatabase(at, world), openDatabase(at, world)]);
    // Two processes cannot share a SQLite database, so there they come one after the other.
    const applied =
      at.dialect === 'postgres'
        ? await Promise.all(databases.map((db) => migrate(db, ALL_MIGRATIONS)))
        : [await migrate(databases[0], ALL_MIGRATIONS), await migrate(databases[1], ALL_MIGRATIONS)];
    expect(applied.flat().toSorted()).toEqual(ALL_MIGRATIONS.map((Migration) => new Migration().name).toSorted());
    await Promise.all(databases.map((db) => db.close()));
  });

  it('leave no table behind when one fails', async () => {
    class Broken implements InstanceType<MigrationClass> {
      readonly name = 'Broken1';
      async up(): Promise<void> {
        throw new Error('broken');
      }
      async down(): Promise<void> {
        throw new Error('broken');
      }
    }
    const db = await openDatabase(await empty(), world);
    await expect(migrate(db, [...ALL_MIGRATIONS, Broken])).rejects.toThrow('broken');
    await expect(db.read((tx) => tx.query('SELECT 1 FROM users'))).rejects.toThrow();
    await db.close();
  });

  it('can be undone', async () => {
    const db = await openDatabase(await empty(), world);
    await migrate(db, ALL_MIGRATIONS);
    await db.write(async (tx) => {
      const runner = tx.manager.queryRunner;
      if (runner === undefined) throw new Error('no runner');
      for (const Migration of ALL_MIGRATIONS.toReversed()) await new Migration().down(runner);
    });
    await expect(db.read((tx) => tx.query('SELECT 1 FROM users'))).rejects.toThrow();
    await db.close();
  });

  it('keep every row of a populated database', async () => {
    class AddNote implements InstanceType<MigrationClass> {
      readonly name = 'AddNote2';
      async up(runner: QueryRunner): Promise<void> {
        await runner.query(`ALTER TABLE runs ADD COLUMN note varchar(10) NOT NULL DEFAULT 'none'`);
        await runner.query(`CREATE INDEX ix_runs_note ON runs (note)`);
      }
      async down(runner: QueryRunner): Promise<void> {
        await runner.query(`DROP INDEX ix_runs_note`);
        await runner.query(`ALTER TABLE runs DROP COLUMN note`);
      }
    }
    const db = await openDatabase(await empty(), world);
    await migrate(db, ALL_MIGRATIONS);
    const { runId, jobId } = await seedJob(db);
    expect(await migrate(db, [...ALL_MIGRATIONS, AddNote])).toEqual(['AddNote2']);
    expect(await migrate(db, [...ALL_MIGRATIONS, AddNote])).toEqual([]);
    const rows = await db.read((tx) =>
      tx.query('SELECT r.id AS run, r.note, j.id AS job FROM runs r JOIN jobs j ON j.run_id = r.id'),
    );
    expect(rows.map((row) => ({ ...row }))).toEqual([{ run: runId, note: 'none', job: jobId }]);
    await db.close();
  });

  it('keep what machines have cost when they are forgotten', async () => {
    const db = await openDatabase(await empty(), world);
    const before = ALL_MIGRATIONS.filter((Migration) => Migration !== ForgottenMachines1764109000000);
    await migrate(db, before);
    const { projectId } = await seedJob(db);
    await db.write(async (tx) => {
      const values = ['i', projectId, 0, 'i', 'terminated', 1, 1];
      await tx.execute(
        'INSERT INTO instances (id, project_id, instance_num, name, status, status_changed_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
        values,
      );
      await beginPricedInterval(tx, { id: 'p', instanceId: 'i', projectId, price: 2, now: 5 });
    });
    await migrate(db, ALL_MIGRATIONS);
    await db.write((tx) => tx.execute(`DELETE FROM instances WHERE id = 'i'`));
    const rows = await db.read((tx) => tx.query('SELECT * FROM priced_intervals'));
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { id: 'p', instance_id: 'i', project_id: projectId, price_usd_per_hour: 2, started_at: 5, ended_at: null },
    ]);
    await db.close();
  });

  it('refuse a database that a newer server migrated', async () => {
    const db = await openDatabase(await empty(), world);
    await migrate(db, ALL_MIGRATIONS);
    await db.write((tx) => tx.execute(`INSERT INTO migrations (name, applied_at) VALUES ('Later9', 0)`));
    await expect(migrate(db, ALL_MIGRATIONS)).rejects.toThrow('migrated by a newer server (Later9)');
    await db.close();
  });

  it('leave a database of the Python server alone', async () => {
    const db = await openDatabase(await empty(), world);
    await db.write((tx) => tx.execute('CREATE TABLE alembic_version (version_num varchar(32))'));
    await expect(migrate(db, ALL_MIGRATIONS)).rejects.toThrow('belongs to the Python dstack server');
    await expect(db.read((tx) => tx.query('SELECT 1 FROM migrations'))).rejects.toThrow();
    await db.close();
  });
});
