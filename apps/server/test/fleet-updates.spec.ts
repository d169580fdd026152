import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from '@dstack/core';
import { offerTo, someOffer } from './support/offered-backend.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';

describe.each(testDatabases())('a cloud fleet that is changed in place, on $name', ({ location }) => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer({ database: await location(), localBackend: false });
    offerTo(server, () => []);
  });
  afterEach(() => server.close());

  const project = (path: string, body: object) => server.post(`/api/project/main/${path}`, body);
  const get = async () => (await project('fleets/get', { name: 'pool' })).body as Wire.Fleet;
  const apply = async (more: object, current: Wire.Fleet | null = null) => {
    const spec = { configuration: { type: 'fleet', name: 'pool', ...more }, profile: { name: 'default' } };
    const reply = await project('fleets/apply', { plan: { spec, current_resource: current }, force: false });
    if (reply.status !== 200) throw new Error(reply.text);
  };
  /** Instances of the fleet as if a cloud had made them. */
  const have = async (...instances: { num: number; price: number; busy?: boolean; idleSeconds?: number }[]) => {
    const fleet = await get();
    await server.db.write(async (tx) => {
      const [row] = await tx.query<{ project_id: string }>('SELECT project_id FROM fleets WHERE id = ?', [fleet.id]);
      for (const { num, price, busy = false, idleSeconds = -1 } of instances) {
        await tx.execute(
          `INSERT INTO instances (id, project_id, fleet_id, instance_num, name, status, status_changed_at, created_at, backend_type,
             region, offer, price, total_blocks, busy_blocks, idle_seconds, connection_holder, connection_expires_at)
           VALUES (?, ?, ?, ?, ?, ?, 1, 1, 'aws', 'eu', ?, ?, 1, ?, ?, 'test', ?)`,
          [
            crypto.randomUUID(), row?.project_id ?? '', fleet.id, num, `pool-${num}`, busy ? 'busy' : 'idle',
            JSON.stringify(someOffer({ price })), price, busy ? 1 : 0, idleSeconds, 2 ** 45,
          ], // prettier-ignore
        );
      }
    });
  };
  const states = async () =>
    Object.fromEntries(
      (await get()).instances.map((each) => [each.name, [each.status, each.termination_reason ?? null].join(' ')]),
    );

  it('lets go what it would not make any more, keeps what jobs are on, and makes what it lacks at once', async () => {
    await apply({ nodes: '0..4' });
    await have({ num: 0, price: 2 }, { num: 1, price: 1 }, { num: 2, price: 2, busy: true });
    await apply({ nodes: '3..4', max_price: 1.5 }, await get());
    const after = await eventually(states, (seen) => 'pool-3' in seen || Object.keys(seen).length !== 3);
    expect(after).toMatchObject({ 'pool-1': 'idle ', 'pool-2': 'busy ' });
    // A machine in the place of the one that went, under its number; no cloud offers any here.
    const ends = () =>
      server.db.read((tx) =>
        tx.query<{ reason: string }>(
          `SELECT termination_reason AS reason FROM instances WHERE name = 'pool-0' AND status = 'terminated' ORDER BY reason`,
        ),
      );
    const gone = await eventually(ends, (rows) => rows.length === 2);
    expect(gone.map(({ reason }) => reason)).toEqual(['fleet_spec_mismatch', 'no_offers']);
  });

  it('lets go idle instances that are too many', async () => {
    await apply({ nodes: '0..4' });
    await have({ num: 0, price: 1 }, { num: 1, price: 1, busy: true }, { num: 2, price: 1 });
    await apply({ nodes: '0..2' }, await get());
    const after = await eventually(states, (seen) => Object.keys(seen).length === 2);
    expect(after).toEqual({ 'pool-1': 'busy ', 'pool-2': 'idle ' });
  });

  it('lets go machines that have idled for long enough as far as it can spare them, and looks again when it wants fewer', async () => {
    await apply({ nodes: '0..4' });
    await have(...[0, 1, 2].map((num) => ({ num, price: 1, idleSeconds: 60 })));
    const idle = async () => Object.values(await states()).filter((state) => state === 'idle ').length;
    await apply({ nodes: '2..4' }, await get());
    await eventually(idle, (count) => count < 3);
    // When everybody has been looked at.
    await eventually(async () => (await server.db.read((tx) => tx.query(`SELECT id FROM instances WHERE next_due_at <= ?`, [Date.now()]))).length, (due) => due === 0); // prettier-ignore
    expect(await idle()).toBe(2);
    await apply({ nodes: '1..4' }, await get());
    await eventually(idle, (count) => count < 2);
    expect(await idle()).toBe(1);
  });

  async function eventually<T>(ask: () => Promise<T>, isRight: (answer: T) => boolean): Promise<T> {
    const until = Date.now() + 15_000;
    for (;;) {
      const answer = await ask();
      if (isRight(answer)) return answer;
      if (Date.now() > until) throw new Error(`still not: ${JSON.stringify(answer)}`);
      await sleep(50);
    }
  }
});
