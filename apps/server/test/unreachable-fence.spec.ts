import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { HostConnection, type ConnectionTools } from '../src/agents/host-connection.js';
import { GatewayLink, type GatewayLinkTools } from '../src/gateways/gateway-link.js';
import type { Database } from '../src/persistence/database.js';
import { readTogether, writeTogether } from '../src/persistence/together.js';
import { Notices } from '../src/reconcile/notices.js';
import { Wake } from '../src/reconcile/wake.js';
import { realWorld } from '../src/world/real-world.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

/** What happens to the row of the connection before this server, which stood still, hears that its connection is broken. */
type Meanwhile = (db: Database, table: 'instances' | 'gateway_replicas', id: string) => Promise<unknown>;

const HOUR = 3_600_000;
const heldByAnother =
  (untilMs: number): Meanwhile =>
  (db, table, id) =>
    db.write(async (tx) =>
      tx.execute(`UPDATE ${table} SET connection_holder = 'another', connection_expires_at = ? WHERE id = ?`, [
        (await tx.now()) + untilMs,
        id,
      ]),
    );

const CASES: readonly (readonly [string, Meanwhile, boolean])[] = [
  ['nobody else has it', () => Promise.resolve(), true],
  ['another server has it now', heldByAnother(HOUR), false],
  ['another server had it, and is gone', heldByAnother(-1), true],
];

beforeAll(() => {
  Logger.overrideLogger(false);
});

describe.each(testDatabases())('a server whose connection broke, on $name', ({ open }) => {
  const world = realWorld();

  async function find(db: Database, table: string, id: string) {
    const [row] = await db.read((tx) =>
      tx.query<{ unreachable_since: number | null; last_error: string | null }>(
        `SELECT unreachable_since, last_error FROM ${table} WHERE id = ?`,
        [id],
      ),
    );
    if (row === undefined) throw new Error('the row is gone');
    return { isUnreachable: row.unreachable_since !== null, error: row.last_error };
  }
  const told = (isUnreachable: boolean) => ({ isUnreachable, error: isUnreachable ? 'the connection broke' : null });

  /** The first try to connect breaks; `tried` resolves when the second one begins, or when there is none. */
  function breaking(happens: () => Promise<unknown>) {
    const tried = Promise.withResolvers<void>();
    let tries = 0;
    const connect = async (): Promise<never> => {
      tries += 1;
      if (tries > 1) tried.resolve();
      else await happens();
      throw new Error('the connection broke');
    };
    return { connector: { connect }, tried };
  }

  it.each(CASES)('calls a host of somebody\'s own unreachable and tells why, or not: %s', async (_, meanwhile, expected) => {
    const db = await open();
    const { projectId } = await seedJob(db);
    const id = randomUUID();
    const machine = { ref: { cloudName: 'a' }, state: 'ready', agent: { via: 'unix', socketPath: '/nowhere' } };
    await db.write((tx) =>
      tx.execute(
        `INSERT INTO instances (id, project_id, instance_num, name, status, status_changed_at, created_at, backend_type, host_name, machine)
         VALUES (?, ?, 0, 'one', 'busy', 1, 1, 'ssh', 'one.internal', ?)`,
        [id, projectId, JSON.stringify(machine)],
      ),
    );
    const { connector, tried } = breaking(() => meanwhile(db, 'instances', id));
    const tools = {
      db, world, connector, holder: 'me', wake: new Wake(new Notices()), keeper: { keep: () => () => undefined },
      reading: readTogether(db), taking: writeTogether(db), marking: writeTogether(db),
    } as unknown as ConnectionTools; // it comes to use no more of them
    const connection = new HostConnection(id, tools, () => tried.resolve());
    await tried.promise;
    expect(await find(db, 'instances', id)).toEqual(told(expected));
    await connection.stop();
  }); // prettier-ignore

  it.each(CASES)('calls the gateway unreachable and tells why, or not: %s', async (_, meanwhile, expected) => {
    const db = await open();
    const { projectId, userId } = await seedJob(db);
    const [gatewayId, id] = [randomUUID(), randomUUID()];
    await db.write(async (tx) => {
      await tx.execute(
        `INSERT INTO gateways (id, project_id, user_id, name, status, status_changed_at, configuration, backend_type, region,
           desired_replica_count, ssh_public_key, ssh_private_key, created_at)
         VALUES (?, ?, ?, 'edge', 'running', 1, '{}', 'aws', 'eu', 1, '', '', 1)`,
        [gatewayId, projectId, userId],
      );
      await tx.execute(
        `INSERT INTO gateway_replicas (id, gateway_id, replica_num, status, status_changed_at, backend_type, created_at)
         VALUES (?, ?, 0, 'running', 1, 'aws', 1)`,
        [id, gatewayId],
      );
    });
    const { connector, tried } = breaking(() => meanwhile(db, 'gateway_replicas', id));
    const tools = { db, world, connector, holder: 'me', wake: new Wake(new Notices()) } as unknown as GatewayLinkTools; // it comes to use no more of them
    const link = new GatewayLink(id, tools, () => tried.resolve());
    await tried.promise;
    expect(await find(db, 'gateway_replicas', id)).toEqual(told(expected));
    await link.stop();
  });
});
