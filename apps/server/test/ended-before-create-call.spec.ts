import { randomUUID } from 'node:crypto';
import { GatewayReplicaEffects } from '../src/gateways/gateway-replica-effects.js';
import { InstanceEffects } from '../src/instances/instance-effects.js';
import type { Database } from '../src/persistence/database.js';
import { realWorld } from '../src/world/real-world.js';
import { VolumeEffects } from '../src/volumes/volume-effects.js';
import { testDatabases } from './support/test-databases.js';
import { type SeededJob, seedJob } from './support/workload-rows.js';

type Table = 'instances' | 'volumes' | 'gateway_replicas';

/** Its calls are counted, and make nothing. */
class CountingCloud {
  calls = 0;

  async open() {
    const create = async () => {
      this.calls += 1;
      return {};
    };
    const definition = { idempotency: { kind: 'token' }, capabilities: { kind: 'hosts' } };
    return { definition, compute: { create, gateways: { createReplica: create }, volumes: { create } } };
  }

  owner = async () => 'us';
}

const NAMED = { cloudName: 'main-one', token: 'the token', askedAt: null };

const INSERTS: Record<Table, (db: Database, id: string, seeded: SeededJob) => Promise<unknown>> = {
  instances: (db, id, { projectId }) =>
    db.write(async (tx) => {
      await tx.execute(
        `INSERT INTO instances (id, project_id, instance_num, name, status, status_changed_at, created_at, backend_type)
         VALUES (?, ?, 0, 'one', 'launching', 1, 1, 'aws')`,
        [id, projectId],
      );
      await tx.execute(
        `INSERT INTO provisioning_attempts (id, instance_id, attempt, offer, backend_type, region, cloud_name, token, created_at)
         VALUES (?, ?, 1, '{}', 'aws', 'eu', 'main-one', 'the token', 1)`,
        [id, id],
      );
    }),
  volumes: (db, id, { projectId, userId }) =>
    db.write((tx) =>
      tx.execute(
        `INSERT INTO volumes (id, project_id, user_id, name, status, status_changed_at, configuration, backend_type, region, external, created_at)
         VALUES (?, ?, ?, 'one', 'provisioning', 1, '{}', 'aws', 'eu', false, 1)`,
        [id, projectId, userId],
      ),
    ),
  gateway_replicas: (db, id, { projectId, userId }) =>
    db.write(async (tx) => {
      await tx.execute(
        `INSERT INTO gateways (id, project_id, user_id, name, status, status_changed_at, configuration, backend_type, region,
           desired_replica_count, ssh_public_key, ssh_private_key, created_at)
         VALUES (?, ?, ?, 'edge', 'provisioning', 1, '{}', 'aws', 'eu', 1, '', '', 1)`,
        [id, projectId, userId],
      );
      await tx.execute(
        `INSERT INTO gateway_replicas (id, gateway_id, replica_num, status, status_changed_at, backend_type, created_at)
         VALUES (?, ?, 0, 'provisioning', 1, 'aws', 1)`,
        [id, id],
      );
    }),
};

/** The create call of a server that has seen the row as it was inserted; what the effects use of their parts, and of the row. */
const CREATES: Record<Table, (db: Database, cloud: CountingCloud, id: string) => Promise<unknown>> = {
  instances: (db, cloud, id) => {
    const limits = { learn: () => undefined };
    const record = { id, status: 'launching', group: null, hostName: null, requirements: null };
    const open = { ...NAMED, id, outcome: null, backendType: 'aws', offer: {} };
    const effects = new (InstanceEffects as unknown as new (...parts: unknown[]) => InstanceEffects)(
      db, cloud, null, limits, null, null, null, realWorld(),
    ); // prettier-ignore
    return effects.perform({ do: 'launch' }, seen({ record, attempts: [open], fleet: null }, id));
  },
  volumes: (db, cloud, id) => {
    const effects = new VolumeEffects(db, cloud as never, realWorld());
    return effects.perform({ do: 'create' }, seen({ record: { ...NAMED, id, status: 'provisioning' } }, id));
  },
  gateway_replicas: (db, cloud, id) => {
    const effects = new GatewayReplicaEffects(db, cloud as never, null as never, null as never, realWorld());
    const gateway = { configuration: {}, region: 'eu' };
    return effects.perform({ do: 'create' }, seen({ record: { ...NAMED, id, status: 'provisioning' }, gateway }, id));
  },
};

function seen(snapshot: object, id: string): never {
  return { id, snapshot, now: Date.now(), signal: new AbortController().signal } as never;
}

const TABLES: readonly Table[] = ['instances', 'volumes', 'gateway_replicas'];
const REFUSED = 'somebody else made the create call meanwhile, or ended what it is for';

describe.each(testDatabases())('a server that stood still before a create call, on $name', ({ open, name }) => {
  async function scene(table: Table) {
    const db = await open();
    const id = randomUUID();
    await INSERTS[table](db, id, await seedJob(db));
    const cloud = new CountingCloud();
    return { db, id, cloud, create: () => CREATES[table](db, cloud, id) };
  }
  const end = `SET status = 'terminating' WHERE id = ?`;

  it.each(TABLES)('makes it while nobody has ended what it is for: %s', async (table) => {
    const { cloud, create } = await scene(table);
    await create();
    expect(cloud.calls).toBe(1);
  });

  it.each(TABLES)('makes none for what was ended meanwhile: %s', async (table) => {
    const { db, id, cloud, create } = await scene(table);
    await db.write((tx) => tx.execute(`UPDATE ${table} ${end}`, [id]));
    await expect(create()).rejects.toThrow(REFUSED);
    expect(cloud.calls).toBe(0);
  });

  it.each(TABLES)('makes none for what is being ended at the same time: %s', async (table) => {
    const { db, id, cloud, create } = await scene(table);
    const [isEnding, mayCommit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const ending = db.write(async (tx) => {
      await tx.execute(`UPDATE ${table} ${end}`, [id]);
      isEnding.resolve();
      await mayCommit.promise;
    });
    await isEnding.promise;
    let isOver = false;
    const created = create().finally(() => (isOver = true));
    const refused = expect(created).rejects.toThrow(REFUSED);
    while (name === 'Postgres' && !isOver && !(await someoneWaits(db)));
    mayCommit.resolve();
    await ending;
    await refused;
    expect(cloud.calls).toBe(0);
  });
});

async function someoneWaits(db: Database): Promise<boolean> {
  const rows = await db.read((tx) =>
    tx.query(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`),
  );
  return rows.length > 0;
}
