import { decideGatewayReplica, type GatewayReplicaDecision, type GatewayReplicaEffect } from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import type { ActContext, CommitContext, CommitResult, Observed, Reconciler } from '../reconcile/reconciler.js';
import { GatewayReplicaCommit } from './gateway-replica-commit.js';
import { GatewayReplicaEffects } from './gateway-replica-effects.js';
import { GatewayReplicaSnapshots, type GatewayReplicaView } from './gateway-replica-snapshots.js';

/** Observes and acts; what happens next is decided by `decideGatewayReplica`. */
@Injectable()
export class GatewayReplicaReconciler implements Reconciler<GatewayReplicaView, GatewayReplicaDecision> {
  readonly table = 'gateway_replicas';
  readonly concurrency = 10;

  constructor(
    @Inject(GatewayReplicaSnapshots) private readonly snapshots: GatewayReplicaSnapshots,
    @Inject(GatewayReplicaEffects) private readonly effects: GatewayReplicaEffects,
    @Inject(GatewayReplicaCommit) private readonly commits: GatewayReplicaCommit,
  ) {}

  observe(id: string, tx: ReadTx): Promise<Observed<GatewayReplicaView> | null> {
    return this.snapshots.load(id, tx);
  }

  decide({ snapshot }: GatewayReplicaView, now: number): GatewayReplicaDecision {
    return decideGatewayReplica(snapshot, now);
  }

  isOutside(): boolean {
    return true;
  }

  accountOf(_effect: GatewayReplicaEffect, { gateway, record }: GatewayReplicaView): string {
    return record.hostName === null ? `${gateway.projectId}/${record.backendType}` : `gateway host ${record.hostName}`;
  }

  act(effect: GatewayReplicaEffect, context: ActContext<GatewayReplicaView>): Promise<unknown> {
    return this.effects.perform(effect, context);
  }

  commit(tx: WriteTx, context: CommitContext<GatewayReplicaView, GatewayReplicaDecision>): Promise<CommitResult> {
    return this.commits.write(tx, context);
  }
}
