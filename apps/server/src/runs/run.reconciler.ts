import { Inject, Injectable } from '@nestjs/common';
import { decideRun, type RunDecision } from '@dstack/core';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import type { CommitContext, Observed, Reconciler } from '../reconcile/reconciler.js';
import { RunCommit } from './run-commit.js';
import { RunSnapshots, type RunView } from './run-snapshots.js';

/** A run has no effects outside the database: it tells its jobs, and they act. */
@Injectable()
export class RunReconciler implements Reconciler<RunView, RunDecision> {
  readonly table = 'runs';
  readonly concurrency = 100;

  constructor(
    @Inject(RunSnapshots) private readonly snapshots: RunSnapshots,
    @Inject(RunCommit) private readonly commits: RunCommit,
  ) {}

  observe(id: string, tx: ReadTx, now: number): Promise<Observed<RunView> | null> {
    return this.snapshots.load(id, tx, now);
  }

  decide({ snapshot }: RunView, now: number): RunDecision {
    return decideRun(snapshot, now);
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

  commit(tx: WriteTx, context: CommitContext<RunView, RunDecision>): Promise<void> {
    return this.commits.write(tx, context);
  }
}
