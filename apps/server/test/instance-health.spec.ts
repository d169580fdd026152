import { randomUUID } from 'node:crypto';
import { EventRecorder } from '../src/events/event-recorder.js';
import { InstanceHealth } from '../src/instances/instance-health.js';
import { findInstance } from '../src/instances/instance-record.js';
import { toWireInstance } from '../src/instances/instance-view.js';
import type { Database } from '../src/persistence/database.js';
import { Notices } from '../src/reconcile/notices.js';
import { Wake } from '../src/reconcile/wake.js';
import { realWorld } from '../src/world/real-world.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

const ILL = {
  status: 'failure' as const,
  incidents: ['GPU 3: fallen off the bus', 'the disk is nearly full'],
  incidentStatuses: ['failure' as const, 'warning' as const],
};

describe.each(testDatabases())('the health of instances on $name', ({ open }) => {
  let db: Database;
  let health: InstanceHealth;
  let instanceId: string;

  beforeEach(async () => {
    db = await open();
    const world = realWorld();
    health = new InstanceHealth(
      db,
      new Wake(new Notices()),
      new EventRecorder(world, { eventsTtlSeconds: 100 }),
      world,
    );
    const { projectId } = await seedJob(db);
    instanceId = randomUUID();
    await db.write((tx) =>
      tx.execute(
        `INSERT INTO instances (id, project_id, instance_num, name, status, status_changed_at, created_at, agent_info)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        [instanceId, projectId, 0, 'lab-0', 'idle', 1, 1, '{"info":null,"connectedSince":5}'],
      ),
    );
  });

  const checks = () =>
    db.read((tx) =>
      tx.query<{ status: string; response: string }>(
        'SELECT status, response FROM instance_health_checks WHERE instance_id = ? ORDER BY collected_at',
        [instanceId],
      ),
    );
  const instance = async () => {
    const found = await db.read((tx) => findInstance(tx, instanceId));
    if (found === null) throw new Error('it is there');
    return found;
  };
  const messages = async () =>
    (await db.read((tx) => tx.query<{ message: string }>('SELECT message FROM events ORDER BY recorded_at'))).map(
      ({ message }) => message,
    );

  it('is kept when it changes, with what is wrong', async () => {
    await health.record(instanceId, 1000, { status: 'healthy', incidents: [] });
    expect(await checks()).toEqual([]);
    await health.record(instanceId, 2000, ILL);
    await health.record(instanceId, 3000, ILL);
    const [check, ...others] = await checks();
    expect(others).toEqual([]);
    expect(JSON.parse(check?.response ?? '')).toEqual([
      { timestamp: '1970-01-01T00:00:02Z', status: 'failure', message: 'GPU 3: fallen off the bus' },
      { timestamp: '1970-01-01T00:00:02Z', status: 'warning', message: 'the disk is nearly full' },
    ]);
    const facts = { projectName: 'main', fleetName: null, jobName: null };
    expect(toWireInstance({ instance: await instance(), ...facts })).toMatchObject({
      health_status: 'failure',
      health_incidents: ILL.incidents,
    });
    expect((await instance()).agent.connectedSince).toBe(5);
    await health.record(instanceId, 4000, { status: 'healthy', incidents: [] });
    expect((await checks()).map(({ status }) => status)).toEqual(['failure', 'healthy']);
    expect(await messages()).toEqual([
      'Instance health changed HEALTHY -> FAILURE (GPU 3: fallen off the bus; the disk is nearly full)',
      'Instance health changed FAILURE -> HEALTHY',
    ]);
  });

  it('is forgotten in time', async () => {
    await health.record(instanceId, 1000, ILL);
    await health.record(instanceId, 9000, { status: 'healthy', incidents: [] });
    expect(await health.deleteOld(5000)).toBe(1);
    expect((await checks()).map(({ status }) => status)).toEqual(['healthy']);
  });
});
