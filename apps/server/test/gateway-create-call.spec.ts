import { randomUUID } from 'node:crypto';
import { BackendError, type Idempotency } from '@dstack/backend-base';
import { LIMITS } from '@dstack/core';
import { GatewayBalancers } from '../src/gateways/gateway-balancers.js';
import { GatewayHosts } from '../src/gateways/gateway-hosts.js';
import { GatewayReplicaEffects } from '../src/gateways/gateway-replica-effects.js';
import { GatewayReplicaSnapshots, type GatewayReplicaView } from '../src/gateways/gateway-replica-snapshots.js';
import type { ComputeAccount } from '../src/offers/compute-accounts.js';
import { ComputeAccounts } from '../src/offers/compute-accounts.js';
import type { ActContext } from '../src/reconcile/reconciler.js';
import { realWorld } from '../src/world/real-world.js';
import { GatewayCloud } from './support/gateway-world.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

const LIST_LAG_MS = 60_000;

/** Its calls work, and their answers are lost. */
class SilentCloud extends GatewayCloud {
  readonly calls: string[] = [];
  isListed = true;

  override async createReplica(attempt: Parameters<GatewayCloud['createReplica']>[0]): Promise<never> {
    this.calls.push(attempt.token);
    await super.createReplica(attempt);
    throw new BackendError({ kind: 'outage', blocks: 'offer' }, 'no answer');
  }
}

class OneAccount extends ComputeAccounts {
  constructor(
    private readonly cloud: SilentCloud,
    private readonly idempotency: Idempotency,
  ) {
    super();
  }

  override ofProject(): Promise<ComputeAccount[]> {
    return Promise.resolve([]);
  }

  override async open(): Promise<ComputeAccount> {
    const { cloud, idempotency } = this;
    const list = async () =>
      cloud.isListed ? [...cloud.machines.values()].map((each) => ({ ...each, token: null, owner: '' })) : [];
    // A create call uses no more of an account.
    return {
      type: 'aws',
      definition: { idempotency },
      compute: { list, gateways: cloud },
    } as unknown as ComputeAccount;
  }

  override owner(): Promise<string> {
    return Promise.resolve('us');
  }
}

describe.each(testDatabases())('the create call of a gateway replica that had no answer, on $name', ({ open }) => {
  async function scene(idempotency: Idempotency) {
    const db = await open();
    const { projectId, userId } = await seedJob(db);
    const [gatewayId, id] = [randomUUID(), randomUUID()];
    await db.write(async (tx) => {
      await tx.execute(
        `INSERT INTO gateways (id, project_id, user_id, name, status, status_changed_at, configuration, backend_type, region,
           desired_replica_count, ssh_public_key, ssh_private_key, created_at)
         VALUES (?, ?, ?, 'edge', 'provisioning', 1, '{}', 'aws', 'eu', 1, '', '', 1)`,
        [gatewayId, projectId, userId],
      );
      await tx.execute(
        `INSERT INTO gateway_replicas (id, gateway_id, replica_num, status, status_changed_at, backend_type, cloud_name, token, created_at)
         VALUES (?, ?, 0, 'provisioning', 1, 'aws', 'main-edge', 'the token', 1)`,
        [id, gatewayId],
      );
    });
    const cloud = new SilentCloud();
    const hosts = { wantedDigest: () => null } as unknown as GatewayHosts; // asked for nothing else
    const see = async (): Promise<GatewayReplicaView> => {
      const observed = await db.read((tx) => new GatewayReplicaSnapshots(hosts).load(id, tx));
      if (observed === null) throw new Error('no replica');
      return observed.snapshot;
    };
    /** A server of its own, which acts on what it has seen. */
    const create = (snapshot: GatewayReplicaView, now = Date.now()): Promise<unknown> => {
      const accounts = new OneAccount(cloud, idempotency);
      const balancers = new GatewayBalancers(accounts, realWorld());
      const effects = new GatewayReplicaEffects(db, accounts, hosts, balancers, realWorld());
      const context: ActContext<GatewayReplicaView> = { id, snapshot, now, signal: new AbortController().signal };
      return effects.perform({ do: 'create' }, context);
    };
    return { cloud, see, create };
  }

  const TOKEN: Idempotency = { kind: 'token' };
  const LOOKUP: Idempotency = { kind: 'lookup', listLagMs: LIST_LAG_MS };

  it.each([TOKEN, LOOKUP])('is not made by a server that has not seen it: $kind', async (idempotency) => {
    const { cloud, see, create } = await scene(idempotency);
    const before = await see();
    await expect(create(before)).rejects.toThrow('no answer');
    await expect(create(before)).rejects.toThrow('somebody else made the create call meanwhile');
    expect(cloud.calls).toHaveLength(1);
  });

  it('is made by one of two servers at the same time', async () => {
    const { cloud, see, create } = await scene(TOKEN);
    const before = await see();
    const ends = await Promise.allSettled([create(before), create(before)]);
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(cloud.calls).toHaveLength(1);
  });

  it('is made again with its token by one that has, and makes no second machine', async () => {
    const { cloud, see, create } = await scene(TOKEN);
    await expect(create(await see())).rejects.toThrow('no answer');
    await expect(create(await see())).rejects.toThrow('no answer');
    expect(cloud.calls).toEqual(['the token', 'the token']);
    expect(cloud.machines.size).toBe(1);
  });

  it('is looked for where the cloud knows no tokens, and not made again while it may still arrive', async () => {
    const { cloud, see, create } = await scene(LOOKUP);
    await expect(create(await see())).rejects.toThrow('no answer');
    expect(await create(await see())).toMatchObject({ state: 'pending', ref: { cloudName: 'main-edge' } });

    cloud.isListed = false;
    const seen = await see();
    const lastMs = (seen.record.askedAt ?? 0) + LIMITS.createArrivesMs + LIST_LAG_MS;
    await expect(create(seen, lastMs)).rejects.toThrow('does not tell yet');
    expect(cloud.calls).toHaveLength(1);
    await expect(create(seen, lastMs + 1)).rejects.toThrow('no answer');
    expect(cloud.calls).toHaveLength(2);
  });
});
