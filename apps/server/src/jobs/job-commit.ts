import { AgentUnreachableError, type JobState } from '@dstack/agent-protocol';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { isFinishedJob, type JobDecision, type JobEffect, type StopMode } from '@dstack/core';
import { LOG_STORE, type LogStore } from '../logs/log-store.js';
import type { WriteTx } from '../persistence/transaction.js';
import { EventRecorder } from '../events/event-recorder.js';
import type { CommitContext, CommitResult, Outcome } from '../reconcile/reconciler.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import { lockGang, wakeWaitingPeers } from './gang.js';
import type { StartOutcome } from './job-effects.js';
import type { JobRuntimeRecord } from './job-record.js';
import type { JobView } from './job-snapshots.js';
import { provisioningDataOf } from './provisioning-data.js';
import { releaseInstance } from './release-instance.js';

type Context = CommitContext<JobView, JobDecision>;

@Injectable()
export class JobCommit {
  private readonly log = new Logger('Logs');

  constructor(
    @Inject(Wake) private readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(LOG_STORE) private readonly logs: Pick<LogStore, 'complete'>,
  ) {}

  async write(tx: WriteTx, context: Context): Promise<CommitResult> {
    const result: { dueAt?: number | null } = {};
    const { decision, snapshot } = context;
    if (decision.because !== null) await lockGang(tx, snapshot.record, snapshot.run, decision.status);
    for (const outcome of context.outcomes) {
      const dueAt = await this.record(tx, context, outcome as Outcome<JobEffect>); // this reconciler's own effects
      if (dueAt !== undefined) result.dueAt = dueAt;
    }
    if (decision.because !== null) await this.changeStatus(tx, context, decision.because);
    return result;
  }

  private async changeStatus(tx: WriteTx, { id, snapshot, decision, now }: Context, because: string): Promise<void> {
    const { record, run, instance } = snapshot;
    const { changes, status } = decision;
    const runtime: JobRuntimeRecord = {
      ...record.runtimeRecord,
      ...(status === 'terminating' ? { stopSent: null } : {}),
    };
    await tx.execute(
      `UPDATE jobs SET status = ?, status_changed_at = ?,
         termination_reason = COALESCE(?, termination_reason), termination_message = COALESCE(?, termination_message),
         exit_status = COALESCE(?, exit_status), stop_mode = COALESCE(?, stop_mode),
         stop_requested_at = COALESCE(stop_requested_at, CAST(? AS bigint)),
         running_at = COALESCE(running_at, CAST(? AS bigint)), finished_at = COALESCE(finished_at, CAST(? AS bigint)),
         runtime_data = ?
       WHERE id = ?`,
      [
        status,
        now,
        changes.reason ?? null,
        changes.message ?? null,
        changes.exitStatus ?? null,
        changes.stopMode ?? null,
        status === 'terminating' ? now : null,
        changes.runningAt ?? null,
        changes.finishedAt ?? null,
        writeJson(runtime),
        id,
      ],
    );
    // A machine of a cloud may have had no address when the job was assigned to it.
    const isAddressNews = status === 'provisioning' || record.provisioningData?.hostname === null;
    if (isAddressNews && instance !== null) {
      await tx.execute('UPDATE jobs SET provisioning_data = ? WHERE id = ?', [
        writeJson(provisioningDataOf(instance)),
        id,
      ]);
    }
    if (changes.release === true) await releaseInstance(tx, this.wake, record);
    if (isFinishedJob(status)) tx.afterCommit(() => this.completeLogs(snapshot));
    const text = `Job status changed ${record.status.toUpperCase()} -> ${status.toUpperCase()} (${because})`;
    const target = { type: 'job' as const, id, name: record.spec.job_name, projectId: record.projectId, runId: run.id };
    await this.events.record(tx, { message: text, actorId: null, targets: [target] });
    await this.wake.rows(tx, 'runs', [run.id]);
    await wakeWaitingPeers(tx, this.wake, record, run, status);
    if (record.instanceId !== null) this.wake.host(tx, 'logs', record.instanceId);
  }

  /** Whoever follows the log of a job that never printed anything learns here that it is over. */
  private completeLogs({ record, run, projectName }: JobView): void {
    for (const stream of ['job', 'runner'] as const) {
      const key = { projectName, runName: run.name, jobId: record.id, stream };
      this.logs.complete(key).catch((error: unknown) => {
        this.log.warn(`A log could not be closed: ${error instanceof Error ? error.message : String(error)}`);
      });
    }
  }

  private async record(tx: WriteTx, context: Context, outcome: Outcome<JobEffect>): Promise<number | undefined> {
    const { effect } = outcome;
    if (!outcome.ok) {
      if (!(outcome.error instanceof AgentUnreachableError) && effect.do === 'start') {
        await this.setRuntime(
          tx,
          context,
          {},
          outcome.error instanceof Error ? outcome.error.message : String(outcome.error),
        );
      }
      return undefined;
    }
    switch (effect.do) {
      case 'start':
        await this.recordStart(tx, context, outcome.value as StartOutcome); // what `start` returns
        return context.now;
      case 'stop':
        await this.setRuntime(tx, context, {
          agent: outcome.value as JobState,
          stopSent: effect.mode satisfies StopMode,
        });
        return (outcome.value as JobState).phase === 'finished' ? context.now : undefined;
      case 'remove':
        return undefined;
    }
  }

  private async recordStart(tx: WriteTx, context: Context, outcome: StartOutcome): Promise<void> {
    if ('refused' in outcome) return this.setRuntime(tx, context, { startError: outcome.refused });
    await this.setRuntime(tx, context, { agent: outcome.started });
    await tx.execute('UPDATE jobs SET runtime = ?, runtime_reason = ?, agent_revision = ? WHERE id = ?', [
      outcome.runtime,
      outcome.runtimeReason,
      outcome.started.revision,
      context.id,
    ]);
    const { instanceId } = context.snapshot.record;
    if (instanceId !== null) this.wake.host(tx, 'logs', instanceId);
  }

  private async setRuntime(
    tx: WriteTx,
    { id, snapshot }: Context,
    fields: Partial<JobRuntimeRecord>,
    message: string | null = null,
  ): Promise<void> {
    await tx.execute(
      'UPDATE jobs SET runtime_data = ?, termination_message = COALESCE(?, termination_message) WHERE id = ?',
      [writeJson({ ...snapshot.record.runtimeRecord, ...fields }), message, id],
    );
  }
}
