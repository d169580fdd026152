import { Inject, Injectable } from '@nestjs/common';
import {
  decideFleet,
  fitsFleet,
  fleetAsk,
  type FleetDecision,
  type FleetInstance,
  type FleetSnapshot,
  type Wire,
} from '@dstack/core';
import { findInstances, type InstanceRecord } from '../instances/instance-record.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { EventRecorder } from '../events/event-recorder.js';
import type { CommitContext, Observed, Reconciler } from '../reconcile/reconciler.js';
import { Wake } from '../reconcile/wake.js';
import { WORLD, type World } from '../world/world.js';
import { insertInstance, type NewInstance } from './create-instances.js';
import { findFleets, type FleetRecord, nodesOf } from './fleet-record.js';

export interface FleetView {
  readonly snapshot: FleetSnapshot;
  readonly record: FleetRecord;
}

/** Keeps the number of instances within `nodes`, and ends a fleet when nothing of it is left. */
@Injectable()
export class FleetReconciler implements Reconciler<FleetView, FleetDecision> {
  readonly table = 'fleets';
  readonly concurrency = 10;

  constructor(
    @Inject(Wake) private readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async observe(id: string, tx: ReadTx): Promise<Observed<FleetView> | null> {
    const [record] = await findFleets(tx, 'id = ?', [id]);
    if (record === undefined || record.deleted) return null;
    const instances = await findInstances(tx, `fleet_id = ? AND deleted = ? AND status <> 'terminated'`, [id, false]);
    const [runs] = await tx.query<{ n: number }>(
      `SELECT COUNT(*) AS n FROM runs WHERE fleet_id = ? AND status NOT IN ('terminated', 'failed', 'done')`,
      [id],
    );
    const snapshot = snapshotOf(record, instances, Number(runs?.n ?? 0));
    return { snapshot: { snapshot, record }, restsOn: [] };
  }

  decide({ snapshot }: FleetView, now: number): FleetDecision {
    return decideFleet(snapshot, now);
  }

  isOutside(): boolean {
    return false;
  }

  accountOf(): string {
    return 'database';
  }

  async act(): Promise<unknown> {
    return undefined;
  }

  async commit(tx: WriteTx, { id, snapshot, decision }: CommitContext<FleetView, FleetDecision>): Promise<void> {
    const { record } = snapshot;
    for (const effect of decision.effects) {
      if (effect.do === 'create-instances') await this.create(tx, record, effect.count);
      else await dismissInstances(tx, this.wake, effect.instanceIds, effect.reason);
    }
    const { changes } = decision;
    await tx.execute(
      `UPDATE fleets SET status = ?, consolidation_attempt = COALESCE(?, consolidation_attempt),
         last_consolidated_at = COALESCE(CAST(? AS bigint), last_consolidated_at),
         deleted = ?, deleted_at = COALESCE(deleted_at, CAST(? AS bigint)) WHERE id = ?`,
      [
        decision.status,
        changes.consolidationAttempt ?? null,
        changes.lastConsolidatedAt ?? null,
        decision.status === 'terminated',
        changes.deletedAt ?? null,
        id,
      ],
    );
    if (decision.status === 'terminated')
      await tx.execute('UPDATE instances SET deleted = ? WHERE fleet_id = ? AND deleted = ?', [true, id, false]);
    if (decision.because === null) return;
    // A run may wait for the name.
    if (decision.status === 'terminated') this.wake.topic(tx, 'placement');
    const text = `Fleet status changed ${record.status.toUpperCase()} -> ${decision.status.toUpperCase()} (${decision.because})`;
    const target = { type: 'fleet' as const, id, name: record.name, projectId: record.projectId, fleetId: id };
    await this.events.record(tx, { message: text, actorId: null, targets: [target] });
  }

  private async create(tx: WriteTx, fleet: FleetRecord, count: number): Promise<void> {
    for (let made = 0; made < count; made += 1) await insertInstance(tx, this.world, fleet, fleetInstance(fleet));
    this.wake.topic(tx, 'instances');
  }
}

/** What an instance asks for that is made for its fleet, not for a run. */
export function fleetInstance({ spec }: Pick<FleetRecord, 'spec'>): NewInstance {
  const { requirements, profile } = fleetAsk(spec);
  const idle = profile.idle_duration ?? null;
  return {
    requirements,
    profile,
    provisioningJobId: null,
    busyBlocks: 0,
    ...(idle === null ? {} : { idleSeconds: Number(idle) }),
  };
}

/** They go by their own decision, which knows what a launch under way may have made; until then they get no jobs. */
async function dismissInstances(tx: WriteTx, wake: Wake, ids: readonly string[], reason: string): Promise<void> {
  for (const id of ids) {
    await tx.execute(
      `UPDATE instances SET unwanted = ?, rev = rev + 1
       WHERE id = ? AND unwanted IS NULL AND busy_blocks = 0 AND status NOT IN ('terminating', 'terminated')`,
      [reason, id],
    );
  }
  await wake.rows(tx, 'instances', ids);
}

export async function terminateInstances(
  tx: WriteTx,
  wake: Wake,
  ids: readonly string[],
  reason: string,
  now: number,
): Promise<void> {
  for (const id of ids) {
    await tx.execute(
      `UPDATE instances SET status = 'terminating', status_changed_at = ?, termination_reason = ?, rev = rev + 1
       WHERE id = ? AND status NOT IN ('terminating', 'terminated') AND busy_blocks = 0`,
      [now, reason, id],
    );
  }
  await wake.rows(tx, 'instances', ids);
}

function toFleetInstance(spec: Wire.FleetSpec, record: InstanceRecord): FleetInstance {
  const isMadeForJob = record.provisioningJobId !== null;
  return { id: record.id, state: stateOf(record), fits: fitsFleet(spec, { ...record, isMadeForJob }) };
}

function stateOf({ status, unwanted, busyBlocks }: InstanceRecord): FleetInstance['state'] {
  if (status === 'terminating' || status === 'terminated' || unwanted !== null) return 'going';
  if (busyBlocks > 0) return 'busy';
  return status === 'pending' || status === 'launching' || status === 'provisioning' ? 'starting' : 'idle';
}

function snapshotOf(record: FleetRecord, instances: readonly InstanceRecord[], unfinishedRuns: number): FleetSnapshot {
  const base = { id: record.id, createdAt: record.createdAt };
  switch (record.status) {
    case 'submitted':
    case 'active': {
      return {
        ...base,
        status: record.status,
        nodes: nodesOf(record.spec),
        instances: instances.map((instance) => toFleetInstance(record.spec, instance)),
        consolidationAttempt: record.consolidationAttempt,
        lastConsolidatedAt: record.lastConsolidatedAt,
      };
    }
    case 'terminating':
      return {
        ...base,
        status: 'terminating',
        liveInstanceIds: instances.map((instance) => instance.id),
        unfinishedRuns,
      };
    case 'terminated':
    case 'failed':
      return { ...base, status: record.status };
  }
}
