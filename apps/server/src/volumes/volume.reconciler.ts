import { decideVolume, type VolumeDecision, type VolumeEffect } from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import type { ActContext, CommitContext, CommitResult, Observed, Reconciler } from '../reconcile/reconciler.js';
import { VolumeCommit } from './volume-commit.js';
import { VolumeEffects } from './volume-effects.js';
import { VolumeSnapshots, type VolumeView } from './volume-snapshots.js';

/** Observes and acts; what happens next is decided by `decideVolume`. */
@Injectable()
export class VolumeReconciler implements Reconciler<VolumeView, VolumeDecision> {
  readonly table = 'volumes';
  readonly concurrency = 10;

  constructor(
    @Inject(VolumeSnapshots) private readonly snapshots: VolumeSnapshots,
    @Inject(VolumeEffects) private readonly effects: VolumeEffects,
    @Inject(VolumeCommit) private readonly commits: VolumeCommit,
  ) {}

  observe(id: string, tx: ReadTx): Promise<Observed<VolumeView> | null> {
    return this.snapshots.load(id, tx);
  }

  decide({ snapshot }: VolumeView, now: number): VolumeDecision {
    return decideVolume(snapshot, now);
  }

  isOutside(): boolean {
    return true;
  }

  accountOf(_effect: VolumeEffect, { record }: VolumeView): string {
    return `${record.projectId}/${record.backendType}`;
  }

  act(effect: VolumeEffect, context: ActContext<VolumeView>): Promise<unknown> {
    return this.effects.perform(effect, context);
  }

  commit(tx: WriteTx, context: CommitContext<VolumeView, VolumeDecision>): Promise<CommitResult> {
    return this.commits.write(tx, context);
  }
}
