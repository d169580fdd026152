import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayDialer } from '../src/gateways/gateway-dialer.js';
import { SshGatewayHosts } from '../src/gateways/ssh-gateway-hosts.js';
import type { HostDialer } from '../src/hosts/host-dialer.js';
import { ProgramBundles } from '../src/hosts/program-bundles.js';
import { SshHosts } from '../src/hosts/ssh-hosts.js';
import type { Database } from '../src/persistence/database.js';
import { Notices } from '../src/reconcile/notices.js';
import { Wake } from '../src/reconcile/wake.js';
import { realWorld } from '../src/world/real-world.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

const folder = mkdtempSync(join(tmpdir(), 'dstack-bundles-'));
mkdirSync(join(folder, 'folder-x64'));
writeFileSync(join(folder, 'folder-x64', 'program.cjs'), '');
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(testDatabases())(
  'what this server has for machines, packed after they were looked at, on $name',
  ({ open }) => {
    const [world, installation] = [realWorld(), { id: 'here' }];
    const nobody = {} as HostDialer & GatewayDialer; // nothing is dialled
    const bundlesOf = (name: 'agent' | 'gateway') =>
      new ProgramBundles({ name, directory: folder, cacheDir: join(folder, 'cache') });
    const dueIn = (db: Database, table: string) =>
      db.read((tx) => tx.query<{ id: string }>(`SELECT id FROM ${table} WHERE wake_seq = 1 ORDER BY id`));
    const nextNotice = (notices: Notices, topic: 'instances' | 'gateway_replicas') =>
      new Promise<void>((resolve) => notices.listen(topic, resolve));

    it('makes the hosts due again that have an older agent', async () => {
      const db = await open();
      const { projectId } = await seedJob(db);
      const bundles = bundlesOf('agent');
      const notices = new Notices();
      const told = nextNotice(notices, 'instances');
      const hosts = new SshHosts(db, nobody, bundles, installation, world, new Wake(notices));
      const { digest } = (await bundlesOf('agent').get('x86')) ?? {};
      const given: readonly [string, string | undefined, string][] = [
      ['older', 'x', 'busy'], ['older', 'x', 'idle'], ['newer', digest, 'busy'], ['bare', undefined, 'idle'], ['gone', 'x', 'terminated'],
    ]; // prettier-ignore
      const older: string[] = [];
      for (const [name, agentDigest, status] of given) {
        const id = randomUUID();
        if (name === 'older') older.push(id);
        const machine = JSON.stringify({ ref: { cloudName: name }, state: 'ready', agentDigest });
        await db.write((tx) =>
          tx.execute(
            'INSERT INTO instances (id, project_id, instance_num, name, status, status_changed_at, created_at, machine) VALUES (?, ?, 0, ?, ?, 1, 1, ?)',
            [id, projectId, name, status, machine],
          ),
        );
      }
      expect(hosts.agentDigest('x86')).toBeNull();
      await told;
      expect(hosts.agentDigest('x86')).toBe(digest);
      expect(await dueIn(db, 'instances')).toEqual(older.sort().map((id) => ({ id })));
    });

    it('makes the machines of gateways due again that have an older gateway', async () => {
      const db = await open();
      const { projectId, userId } = await seedJob(db);
      const notices = new Notices();
      const told = nextNotice(notices, 'gateway_replicas');
      const bundles = bundlesOf('gateway');
      const hosts = new SshGatewayHosts(
        nobody,
        bundles,
        installation,
        { skipGatewayUpdate: false },
        db,
        new Wake(notices),
      );
      const gatewayId = randomUUID();
      await db.write((tx) =>
        tx.execute(
          `INSERT INTO gateways (id, project_id, user_id, name, status, status_changed_at, configuration, backend_type, region,
           desired_replica_count, ssh_public_key, ssh_private_key, created_at)
         VALUES (?, ?, ?, 'edge', 'running', 1, '{}', 'aws', 'eu', 1, '', '', 1)`,
          [gatewayId, projectId, userId],
        ),
      );
      const given: readonly [string | null, string][] = [['x', 'running'], [null, 'provisioning'], ['x', 'terminated']]; // prettier-ignore
      const ids = given.map(() => randomUUID());
      for (const [num, [installed, status]] of given.entries())
        await db.write((tx) =>
          tx.execute(
            `INSERT INTO gateway_replicas (id, gateway_id, replica_num, status, status_changed_at, backend_type, created_at, installed_digest)
           VALUES (?, ?, ?, ?, 1, 'aws', 1, ?)`,
            [ids[num], gatewayId, num, status, installed],
          ),
        );
      expect(hosts.wantedDigest('x')).toBeNull();
      await told;
      expect(await dueIn(db, 'gateway_replicas')).toEqual([{ id: ids[0] }]);
    });
  },
);
