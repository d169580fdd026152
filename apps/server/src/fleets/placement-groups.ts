import { type Call, type PlacementGroupSupport, statusText } from '@dstack/backend-base';
import { cloudName, isCluster, type InternalBackendType } from '@dstack/core';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { type ComputeAccount, ComputeAccounts } from '../offers/compute-accounts.js';
import { Database } from '../persistence/database.js';
import { takeLease } from '../placement/lease.js';
import { ServerIdentity } from '../reconcile/server-identity.js';
import type { Timer } from '../world/scheduler.js';
import { WORLD, type World } from '../world/world.js';
import type { FleetRecord } from './fleet-record.js';

const SWEEP_MS = 15_000;
const CALL_MS = 60_000;
const LEASE = 'placement-groups';

interface Row {
  readonly id: string;
  readonly project_id: string;
  readonly backend_type: InternalBackendType;
  readonly region: string;
  readonly cloud_name: string;
  readonly backend_data: string | null;
}

export interface GroupAsk {
  readonly fleet: FleetRecord;
  readonly projectName: string;
  readonly account: ComputeAccount;
  readonly region: string;
  readonly isReserved: boolean;
}

/** Makes the placement group of a cluster when its first machine in a region is, and deletes those that no machine is in. */
@Injectable()
export class PlacementGroups {
  private readonly log = new Logger('PlacementGroups');
  private timer: Timer | null = null;
  private current: Promise<void> | null = null;
  private isStopped = false;

  constructor(
    private readonly db: Database,
    private readonly accounts: ComputeAccounts,
    @Inject(ServerIdentity) private readonly me: ServerIdentity,
    @Inject(WORLD) private readonly world: World,
  ) {}

  start(): void {
    this.isStopped = false;
    this.rest();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.timer?.cancel();
    await this.current;
  }

  /** Its name in the cloud; null: the fleet is no cluster, or its machines need none there. */
  async ensure(ask: GroupAsk, call: Call): Promise<string | null> {
    const { placementGroups: support } = ask.account.compute;
    if (support === undefined || !isCluster(ask.fleet.spec.configuration)) return null;
    if (ask.isReserved && !support.compatibleWithReservations) return null;
    const group = await this.record(ask);
    const owner = await this.accounts.owner();
    const made = await support.create({ cloudName: group.cloud_name, region: group.region, owner }, call);
    if (made.backendData !== group.backend_data)
      await this.db.write((tx) =>
        tx.execute('UPDATE placement_groups SET backend_data = ? WHERE id = ?', [made.backendData, group.id]),
      );
    return group.cloud_name;
  }

  /** The name is on disk before there is a group of it. */
  private record({ fleet, projectName, account, region }: GroupAsk): Promise<Row> {
    return this.db.writeDurable(async (tx) => {
      const find = () =>
        tx.query<Row>(
          'SELECT * FROM placement_groups WHERE fleet_id = ? AND backend_type = ? AND region = ? AND unwanted_at IS NULL',
          [fleet.id, account.type, region],
        );
      const name = cloudName(
        { project: projectName, name: fleet.name },
        () => this.world.random.next(),
        account.definition.maxNameLength,
      );
      const [known] = await find();
      if (known !== undefined) return known;
      await tx.execute(
        `INSERT INTO placement_groups (id, project_id, fleet_id, backend_type, region, cloud_name, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING`,
        [this.world.ids.uuid(), fleet.projectId, fleet.id, account.type, region, name, await tx.now()],
      );
      const [made] = await find();
      if (made === undefined) throw new Error('a placement group was made and deleted at the same time');
      return made;
    });
  }

  private rest(): void {
    this.current = null;
    if (this.isStopped) return;
    this.timer = this.world.scheduler.after(SWEEP_MS, () => {
      this.current = this.sweep()
        .catch((error: unknown) => this.log.error('Placement groups were not looked at; later again', String(error)))
        .finally(() => this.rest());
    });
  }

  /** One server of several does. */
  async sweep(): Promise<void> {
    const some = await this.db.read((tx) => tx.query('SELECT id FROM placement_groups LIMIT 1'));
    if (some.length === 0 || (await takeLease(this.db, LEASE, this.me.holder, SWEEP_MS)) === null) return;
    for (const group of await this.unwanted()) await this.delete(group);
  }

  /** Those in which no machine of their fleet is or will be; a machine names its place before it asks for the group. */
  private unwanted(): Promise<Row[]> {
    return this.db.write(async (tx) => {
      await tx.execute(
        `UPDATE placement_groups SET unwanted_at = ? WHERE unwanted_at IS NULL AND NOT EXISTS (
           SELECT 1 FROM instances i WHERE i.fleet_id = placement_groups.fleet_id AND i.status <> 'terminated'
             AND i.backend_type = placement_groups.backend_type AND i.region = placement_groups.region)`,
        [await tx.now()],
      );
      return tx.query<Row>('SELECT * FROM placement_groups WHERE unwanted_at IS NOT NULL', []);
    });
  }

  /** Until it is gone: who is left of it may still be ending. */
  private async delete({ id, project_id: projectId, backend_type: type, ...group }: Row): Promise<void> {
    try {
      const { compute } = await this.accounts.open(projectId, type);
      const ref = { cloudName: group.cloud_name, region: group.region, backendData: group.backend_data };
      const call = { signal: AbortSignal.timeout(CALL_MS), deadline: this.world.clock.now() + CALL_MS };
      if ((await deleteGroup(compute.placementGroups, ref, call)) === 'pending') return;
      await this.db.write((tx) => tx.execute('DELETE FROM placement_groups WHERE id = ?', [id]));
    } catch (error) {
      const text = statusText(error);
      this.log.warn(`Placement group ${group.cloud_name} was not deleted; later again: ${text}`);
      await this.db.write((tx) => tx.execute('UPDATE placement_groups SET last_error = ? WHERE id = ?', [text, id]));
    }
  }
}

async function deleteGroup(
  support: PlacementGroupSupport | undefined,
  ref: Parameters<PlacementGroupSupport['delete']>[0],
  call: Call,
): Promise<'done' | 'pending'> {
  return support === undefined ? 'done' : support.delete(ref, call);
}
