import { statusText, type Termination } from '@dstack/backend-base';
import {
  decideGateway,
  type GatewayChanges,
  type GatewayDecision,
  type GatewayEffect,
  type GatewaySnapshot,
  LIMITS,
} from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import { EventRecorder } from '../events/event-recorder.js';
import { inList } from '../persistence/in-list.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import type {
  ActContext,
  CommitContext,
  CommitResult,
  Observed,
  Outcome,
  Reconciler,
} from '../reconcile/reconciler.js';
import { Wake } from '../reconcile/wake.js';
import { WORLD, type World } from '../world/world.js';
import { GatewayBalancers, hasBalancer } from './gateway-balancers.js';
import { findGateways, type GatewayRecord } from './gateway-record.js';
import { findReplicasOf, type GatewayReplicaRecord } from './gateway-replica-record.js';
import { gatewayTarget } from './gateway-target.js';

export interface GatewayView {
  readonly snapshot: GatewaySnapshot;
  readonly record: GatewayRecord;
  readonly replicas: readonly GatewayReplicaRecord[];
}

const TEXT_LIMIT = 800;

type Context = CommitContext<GatewayView, GatewayDecision>;

/** Gives a gateway its replicas, which have lives of their own; what happens next is decided by `decideGateway`. */
@Injectable()
export class GatewayReconciler implements Reconciler<GatewayView, GatewayDecision> {
  readonly table = 'gateways';
  readonly concurrency = 10;
  /** Why balancers are still there, by gateway: said once. */
  private readonly told = new Map<string, string>();

  constructor(
    @Inject(Wake) private readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(GatewayBalancers) private readonly balancers: GatewayBalancers,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async observe(id: string, tx: ReadTx): Promise<Observed<GatewayView> | null> {
    const [record] = await findGateways(tx, 'id = ?', [id]);
    if (record === undefined || record.deleted) return null;
    const replicas = await findReplicasOf(tx, id);
    return {
      snapshot: { snapshot: snapshotOf(record, replicas), record, replicas },
      restsOn: replicas.map((replica) => ({ table: 'gateway_replicas' as const, id: replica.id, rev: replica.rev })),
    };
  }

  decide({ snapshot }: GatewayView, now: number): GatewayDecision {
    return decideGateway(snapshot, now);
  }

  isOutside(effect: GatewayEffect): boolean {
    return effect.do === 'delete-balancer';
  }

  accountOf(_effect: GatewayEffect, { record }: GatewayView): string {
    return `${record.projectId}/${record.backendType}`;
  }

  act(_effect: GatewayEffect, { snapshot: { record }, signal }: ActContext<GatewayView>): Promise<Termination> {
    return this.balancers.delete(record, signal);
  }

  async commit(tx: WriteTx, context: Context): Promise<CommitResult> {
    const { decision, outcomes } = context;
    for (const effect of decision.effects) await this.perform(tx, context, effect);
    await this.change(tx, context, decision.changes);
    if (decision.because !== null) await this.changeStatus(tx, context, decision.because);
    const [released] = outcomes as readonly Outcome<GatewayEffect>[]; // this reconciler's own effects
    return released === undefined ? {} : { dueAt: await this.recordRelease(tx, context, released) };
  }

  /** Returns when to try again; null: the balancer is gone. */
  private async recordRelease(
    tx: WriteTx,
    context: Context,
    { effect, ...outcome }: Outcome<GatewayEffect>,
  ): Promise<number | null> {
    const { id, now } = context;
    const isLast = effect.do === 'delete-balancer' && effect.isLast;
    if (!outcome.ok) {
      const message = `The load balancer is not deleted yet: ${statusText(outcome.error, TEXT_LIMIT)}`;
      if (isLast) await tx.execute('UPDATE gateways SET status_message = ? WHERE id = ?', [message, id]);
      if (this.told.get(id) !== message) await this.tell(tx, context, message);
      this.told.set(id, message);
      return now + LIMITS.gatewayRetryMaxMs;
    }
    if (outcome.value === 'pending') return now + LIMITS.terminateRetryMinMs;
    this.told.delete(id);
    if (isLast) await this.change(tx, context, { deletedAt: now });
    return null;
  }

  private async perform(tx: WriteTx, context: Context, effect: GatewayEffect): Promise<void> {
    switch (effect.do) {
      case 'create-replicas':
        for (const num of effect.nums) await this.create(tx, context, num);
        this.wake.topic(tx, 'gateway_replicas');
        return;
      case 'drop-replicas': {
        const these = inList('id', effect.ids);
        await tx.execute(`UPDATE gateway_replicas SET unwanted = ?, rev = rev + 1 WHERE ${these.sql}`, [
          true,
          ...these.params,
        ]);
        return this.wake.rows(tx, 'gateway_replicas', effect.ids);
      }
      case 'delete-balancer':
        return;
      case 'forget-replicas': {
        const these = inList('id', effect.ids);
        await tx.execute(`UPDATE gateway_replicas SET deleted = ?, rev = rev + 1 WHERE ${these.sql}`, [
          true,
          ...these.params,
        ]);
        return;
      }
    }
  }

  private async create(tx: WriteTx, { snapshot: { record }, now }: Context, num: number): Promise<void> {
    await tx.execute(
      `INSERT INTO gateway_replicas (id, gateway_id, replica_num, status, status_changed_at, backend_type, host_name, created_at, next_due_at)
       VALUES (?, ?, ?, 'submitted', ?, ?, ?, ?, ?)`,
      [this.world.ids.uuid(), record.id, num, now, record.backendType, hostOf(record, num), now, now],
    );
  }

  private async change(
    tx: WriteTx,
    context: Context,
    { message, failures, lastFailureAt, deletedAt }: Partial<GatewayChanges>,
  ): Promise<void> {
    const { id } = context;
    if (message !== undefined) await tx.execute('UPDATE gateways SET status_message = ? WHERE id = ?', [message, id]);
    if (failures !== undefined)
      await tx.execute('UPDATE gateways SET failures = ?, last_failure_at = ? WHERE id = ?', [
        failures,
        lastFailureAt ?? null,
        id,
      ]);
    if (failures !== undefined && failures > 0)
      await this.tell(tx, context, `Gateway lost a replica: ${message ?? 'for no known reason'}`);
    if (deletedAt === undefined) return;
    await tx.execute('UPDATE gateways SET deleted = ?, deleted_at = ? WHERE id = ?', [true, deletedAt, id]);
    await tx.execute('UPDATE gateway_replicas SET deleted = ? WHERE gateway_id = ?', [true, id]);
    await this.tell(tx, context, 'Gateway deleted');
  }

  private async changeStatus(tx: WriteTx, context: Context, because: string): Promise<void> {
    const { id, decision, snapshot, now } = context;
    await tx.execute('UPDATE gateways SET status = ?, status_changed_at = ? WHERE id = ?', [decision.status, now, id]);
    await this.tell(
      tx,
      context,
      `Gateway status changed ${snapshot.record.status.toUpperCase()} -> ${decision.status.toUpperCase()} (${because})`,
    );
  }

  private tell(tx: WriteTx, { snapshot: { record } }: Context, message: string): Promise<void> {
    return this.events.record(tx, { message, actorId: null, targets: [gatewayTarget(record)] });
  }
}

function snapshotOf(record: GatewayRecord, replicas: readonly GatewayReplicaRecord[]): GatewaySnapshot {
  return {
    status: record.status,
    deletionRequested: record.deletionRequestedAt !== null,
    desired: record.desiredReplicaCount,
    hasBalancer: hasBalancer(record),
    replicas: replicas.map(({ id, replicaNum, status, isUnwanted, statusMessage }) => ({
      id,
      num: replicaNum,
      status,
      isUnwanted,
      message: statusMessage,
    })),
    failures: record.failures,
    lastFailureAt: record.lastFailureAt,
  };
}

/** Each host of one's own is the replica of its place in the list. */
function hostOf({ configuration }: GatewayRecord, num: number): string | null {
  const host = configuration.ssh_config?.hosts[num];
  if (host === undefined) return null;
  return typeof host === 'string' ? host : host.hostname;
}
