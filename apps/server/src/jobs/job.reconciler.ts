import { Inject, Injectable } from '@nestjs/common';
import { decideJob, type JobDecision, type JobEffect } from '@dstack/core';
import type { LogFields } from '../bootstrap/log-fields.js';
import { ServerIdentity } from '../reconcile/server-identity.js';
import type { ReadTx, SqlValue, WriteTx } from '../persistence/transaction.js';
import type { ActContext, CommitContext, CommitResult, Observed, Reconciler } from '../reconcile/reconciler.js';
import { JobCommit } from './job-commit.js';
import { JobEffects } from './job-effects.js';
import { hostIdOf } from './job-record.js';
import { JobSnapshots, type JobView } from './job-snapshots.js';

@Injectable()
export class JobReconciler implements Reconciler<JobView, JobDecision> {
  readonly table = 'jobs';
  readonly concurrency = 100;

  constructor(
    @Inject(JobSnapshots) private readonly snapshots: JobSnapshots,
    @Inject(JobEffects) private readonly effects: JobEffects,
    @Inject(JobCommit) private readonly commits: JobCommit,
    @Inject(ServerIdentity) private readonly me: ServerIdentity,
  ) {}

  /** Only the server that holds a host's connection can talk to its agent, so it takes the jobs there. */
  claimFilter(now: number): { sql: string; params: readonly SqlValue[] } {
    return {
      // One that is over may owe the end of its log.
      sql: `NOT EXISTS (SELECT 1 FROM instances i WHERE i.id = COALESCE(t.instance_id, t.used_instance_id)
              AND i.connection_holder <> ? AND i.connection_expires_at > ?)`,
      params: [this.me.holder, now],
    };
  }

  aboutOf({ run, instance }: JobView): LogFields {
    return { run_id: run.id, ...(instance === null ? {} : { instance_id: instance.id }) };
  }

  observe(id: string, tx: ReadTx, now: number): Promise<Observed<JobView> | null> {
    return this.snapshots.load(id, tx, now);
  }

  decide({ snapshot }: JobView, now: number): JobDecision {
    return decideJob(snapshot, now);
  }

  isOutside(): boolean {
    return true;
  }

  accountOf(_effect: JobEffect, { record }: JobView): string {
    return `agent/${hostIdOf(record) ?? ''}`;
  }

  act(effect: JobEffect, context: ActContext<JobView>): Promise<unknown> {
    return this.effects.perform(effect, context);
  }

  lockFirst(tx: WriteTx, context: CommitContext<JobView, JobDecision>): Promise<readonly string[]> {
    return this.commits.lock(tx, context);
  }

  commit(tx: WriteTx, context: CommitContext<JobView, JobDecision>): Promise<CommitResult> {
    return this.commits.write(tx, context);
  }
}
