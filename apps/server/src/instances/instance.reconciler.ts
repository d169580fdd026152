import { Inject, Injectable } from '@nestjs/common';
import { decideInstance, type InstanceDecision, type InstanceEffect, type InstanceSnapshot } from '@dstack/core';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import type { ActContext, CommitContext, CommitResult, Observed, Reconciler } from '../reconcile/reconciler.js';
import { InstanceCommit } from './instance-commit.js';
import { InstanceEffects } from './instance-effects.js';
import { InstanceSnapshots, type InstanceView } from './instance-snapshots.js';

/** Observes and acts; what happens next is decided by `decideInstance`. */
@Injectable()
export class InstanceReconciler implements Reconciler<InstanceView, InstanceDecision> {
  readonly table = 'instances';
  readonly concurrency = 100;
  readonly onlyRests = ['fleets'] as const;

  constructor(
    @Inject(InstanceSnapshots) private readonly snapshots: InstanceSnapshots,
    @Inject(InstanceEffects) private readonly effects: InstanceEffects,
    @Inject(InstanceCommit) private readonly commits: InstanceCommit,
  ) {}

  observe(id: string, tx: ReadTx, now: number): Promise<Observed<InstanceView> | null> {
    return this.snapshots.load(id, tx, now);
  }

  decide({ snapshot }: { snapshot: InstanceSnapshot }, now: number): InstanceDecision {
    return decideInstance(snapshot, now);
  }

  isOutside(): boolean {
    return true;
  }

  accountOf(_effect: InstanceEffect, { record }: InstanceView): string {
    if (record.hostName !== null) return `host/${record.id}`;
    return `${record.projectId}/${record.backendType ?? 'offers'}`;
  }

  act(effect: InstanceEffect, context: ActContext<InstanceView>): Promise<unknown> {
    return this.effects.perform(effect, context);
  }

  commit(tx: WriteTx, context: CommitContext<InstanceView, InstanceDecision>): Promise<CommitResult> {
    return this.commits.write(tx, context);
  }
}
