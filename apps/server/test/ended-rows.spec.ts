import { randomUUID } from 'node:crypto';
import { costUsd } from '@dstack/core';
import { CostsService } from '../src/costs/costs.service.js';
import { pricedForRun } from '../src/costs/held-machines.js';
import { beginPricedInterval, endPricedInterval } from '../src/instances/priced-intervals.js';
import type { Database } from '../src/persistence/database.js';
import { deleteEndedRows } from '../src/retention/ended-rows.js';
import { ENDED_TABLES } from '../src/retention/ended-tables.js';
import { testDatabases } from './support/test-databases.js';
import { type SeededJob, seedJob } from './support/workload-rows.js';

type Values = Readonly<Record<string, string | number | boolean | null>>;

const HOUR = 3_600_000;
const NOW = Date.now();
const BEFORE = NOW - 24 * HOUR;
const LONG_AGO = BEFORE - 5 * HOUR;

describe.each(testDatabases())('what ended machines and the like leave on $name', ({ open }) => {
  let db: Database;
  let job: SeededJob;
  beforeEach(async () => {
    db = await open();
    job = await seedJob(db);
  });

  const insert = async (table: string, values: Values): Promise<string> => {
    const id = randomUUID();
    const row: Values = { id, ...values };
    const places = Object.keys(row).map(() => '?');
    await db.write((tx) =>
      tx.execute(`INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${places.join(', ')})`, Object.values(row)),
    ); // prettier-ignore
    return id;
  };
  const set = (table: string, id: string, column: string, value: string | number | null) =>
    db.write((tx) => tx.execute(`UPDATE ${table} SET ${column} = ? WHERE id = ?`, [value, id]));
  const gone = { deleted: true, deleted_at: LONG_AGO };
  const named = () => ({ project_id: job.projectId, name: randomUUID(), created_at: 1 });
  const placed = () => ({ ...named(), user_id: job.userId, status_changed_at: LONG_AGO, configuration: '{}', backend_type: 'aws', region: 'eu' }); // prettier-ignore
  const fleet = (more: Values = {}) => insert('fleets', { ...named(), status: 'terminated', spec: '{}', ...gone, ...more }); // prettier-ignore
  const instance = (more: Values = {}) =>
    insert('instances', {
      ...named(), instance_num: 0, status: 'terminated', status_changed_at: LONG_AGO, finished_at: LONG_AGO, total_blocks: 1, ...more,
    }); // prettier-ignore
  const volume = (more: Values = {}) =>
    insert('volumes', { ...placed(), status: 'active', external: false, ...gone, ...more });
  const gateway = (more: Values = {}) =>
    insert('gateways', { ...placed(), status: 'terminated', desired_replica_count: 1, ssh_public_key: '', ssh_private_key: '', ...gone, ...more }); // prettier-ignore
  const gatewayReplica = (gatewayId: string, more: Values = {}) =>
    insert('gateway_replicas', { gateway_id: gatewayId, replica_num: 0, status: 'terminated', status_changed_at: LONG_AGO, backend_type: 'aws', created_at: 1, deleted: true, ...more }); // prettier-ignore
  const left = async (): Promise<string[]> => {
    const ids = ENDED_TABLES.map(({ table }) => db.read((tx) => tx.query<{ id: string }>(`SELECT id FROM ${table}`)));
    return (await Promise.all(ids)).flat().map(({ id }) => id); // prettier-ignore
  };
  const tidy = (before: number | null = BEFORE) => deleteEndedRows({ db }, before);

  it('stays where it is kept for ever', async () => {
    const all = [await fleet(), await instance(), await volume(), await gateway()];
    expect(await tidy(null)).toBe(0);
    expect((await left()).sort()).toEqual(all.sort());
  });

  it('is forgotten when its time is over, fleets with their machines and gateways with theirs', async () => {
    const fleetId = await fleet();
    const instanceId = await instance({ fleet_id: fleetId });
    await insert('instance_health_checks', { instance_id: instanceId, collected_at: 1, status: 'healthy', response: '[]' }); // prettier-ignore
    await gatewayReplica(await gateway());
    await volume();
    expect(await tidy()).toBe(5);
    expect(await left()).toEqual([]);
  });

  it('is forgotten however much of it there is', async () => {
    for (let number = 0; number < 230; number += 1) await volume();
    expect(await tidy()).toBe(230);
  });

  it('stays before', async () => {
    const late = { deleted_at: BEFORE + 1 };
    const all = [
      await fleet(late),
      await volume(late),
      await gateway(late),
      await instance({ finished_at: BEFORE + 1 }),
    ];
    expect(await tidy()).toBe(0);
    expect((await left()).sort()).toEqual(all.sort());
  });

  it('stays while it is not over, or something is to be done about it', async () => {
    const all = [
      await fleet({ deleted: false }),
      await fleet({ next_due_at: 1 }),
      await instance({ status: 'terminating' }),
      await instance({ next_due_at: 1 }),
      await volume({ next_due_at: 1 }),
      await gateway({ next_due_at: 1 }),
    ];
    const withReplica = await gateway();
    all.push(withReplica, await gatewayReplica(withReplica, { next_due_at: 1 }));
    expect(await tidy()).toBe(0);
    expect((await left()).sort()).toEqual(all.sort());
  });

  it('stays while something else needs it', async () => {
    const [used, made, seated, attached, host] = [
      await instance(),
      await instance({ provisioning_job_id: job.jobId }),
      await instance(),
      await instance(),
      await instance({ host_name: '198.51.100.1', deleted: false }),
    ];
    await set('jobs', job.jobId, 'used_instance_id', used);
    await set('jobs', job.jobId, 'instance_id', seated);
    const volumeId = await volume();
    await db.write((tx) =>
      tx.execute('INSERT INTO volume_attachments (volume_id, instance_id, job_id, created_at) VALUES (?, ?, ?, 1)', [volumeId, attached, job.jobId]),
    ); // prettier-ignore
    const ofGroup = await instance({ group_id: 'group' });
    const living = await instance({ group_id: 'group', status: 'idle', finished_at: null });
    const [itsFleet, fleetWithGroup, itsGateway] = [await fleet(), await fleet(), await gateway()];
    await set('runs', job.runId, 'fleet_id', itsFleet);
    await set('runs', job.runId, 'gateway_id', itsGateway);
    await insert('placement_groups', { project_id: job.projectId, fleet_id: fleetWithGroup, backend_type: 'aws', region: 'eu', cloud_name: 'g', created_at: 1 }); // prettier-ignore
    expect(await tidy()).toBe(0);
    const all = [used, made, seated, attached, host, volumeId, ofGroup, living, itsFleet, fleetWithGroup, itsGateway];
    expect((await left()).sort()).toEqual(all.sort());

    await db.write((tx) => tx.execute('DELETE FROM runs WHERE id = ?', [job.runId]));
    await tidy();
    expect((await left()).sort()).toEqual([attached, host, volumeId, ofGroup, living, fleetWithGroup].sort());
  });

  it('leaves the costs of runs, users and projects as they are', async () => {
    const priced = async (instanceId: string, price: number) =>
      db.write(async (tx) => {
        const { projectId } = job;
        await beginPricedInterval(tx, { id: randomUUID(), instanceId, projectId, price, now: LONG_AGO - 2 * HOUR });
        await endPricedInterval(tx, instanceId, LONG_AGO);
      });
    const [used, idle] = [await instance(), await instance()];
    await priced(used, 1);
    await priced(idle, 3);
    await set('jobs', job.jobId, 'used_instance_id', used);
    await set('jobs', job.jobId, 'submitted_at', LONG_AGO - HOUR);
    const caller = { id: job.userId, name: 'x', globalRole: 'admin' } as const;
    const costs = async () => {
      const { projects } = await new CostsService(db).list(caller, {});
      const ofRun = await db.read((tx) => pricedForRun(tx, job.runId));
      return { projects, ofRun: costUsd(ofRun, NOW) };
    };
    const before = await costs();
    expect(before).toMatchObject({ ofRun: 1, projects: [{ cost: 8, unused_cost: 7, users: [{ cost: 1 }] }] });
    expect(await tidy()).toBe(1);
    expect(await left()).toEqual([used]);
    expect(await costs()).toEqual(before);

    await db.write((tx) => tx.execute('DELETE FROM runs WHERE id = ?', [job.runId]));
    expect(await tidy()).toBe(1);
    expect(await costs()).toMatchObject({ projects: [{ cost: 8, unused_cost: 8 }] });
  });
});
