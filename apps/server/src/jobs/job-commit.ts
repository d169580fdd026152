import { AgentUnreachableError, type JobState } from '@dstack/agent-protocol';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { isFinishedJob, type JobDecision, type JobEffect, LIMITS, type StopMode, UNPROBED } from '@dstack/core';
import { LOG_STORE, type LogStore } from '../logs/log-store.js';
import { updateById } from '../persistence/update-by-id.js';
import type { WriteTx } from '../persistence/transaction.js';
import { EventRecorder } from '../events/event-recorder.js';
import type { CommitContext, CommitResult, Outcome } from '../reconcile/reconciler.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import { RowLostError } from '../reconcile/end-lease.js';
import { WORLD, type World } from '../world/world.js';
import { needsRouter, wakeWorkers, workersToWake } from './router-address.js';
import { lockGang, wakeWaitingPeers } from './gang.js';
import { releaseVolumes } from '../volumes/job-volumes.js';
import type { StartOutcome } from './job-effects.js';
import type { JobRecord, JobRuntimeRecord } from './job-record.js';
import type { JobView } from './job-snapshots.js';
import { holdFleetOf, makeNextMachine } from './next-machine.js';
import { provisioningDataOf } from './provisioning-data.js';
import { releaseInstance } from './release-instance.js';
import { unregister } from './terminate-jobs.js';

type Context = CommitContext<JobView, JobDecision>;

const changeJob = updateById({
  table: 'jobs',
  values: {
    status: 'text',
    now: 'bigint',
    reason: 'text',
    message: 'text',
    exit_status: 'integer',
    stop_mode: 'text',
    stop_requested_at: 'bigint',
    running_at: 'bigint',
    finished_at: 'bigint',
    runtime_data: 'text',
    provisioning_data: 'text',
  },
  set: (value) =>
    `status = ${value('status')}, status_changed_at = ${value('now')},
     termination_reason = COALESCE(${value('reason')}, t.termination_reason),
     termination_message = COALESCE(${value('message')}, t.termination_message),
     exit_status = COALESCE(${value('exit_status')}, t.exit_status), stop_mode = COALESCE(${value('stop_mode')}, t.stop_mode),
     stop_requested_at = COALESCE(t.stop_requested_at, ${value('stop_requested_at')}),
     running_at = COALESCE(t.running_at, ${value('running_at')}), finished_at = COALESCE(t.finished_at, ${value('finished_at')}),
     runtime_data = ${value('runtime_data')}, provisioning_data = COALESCE(${value('provisioning_data')}, t.provisioning_data)`,
});

const changeRuntime = updateById({
  table: 'jobs',
  values: { runtime_data: 'text', message: 'text' },
  set: (value) =>
    `runtime_data = ${value('runtime_data')}, termination_message = COALESCE(${value('message')}, t.termination_message)`,
});

const changeStarted = updateById({
  table: 'jobs',
  values: { runtime: 'text', runtime_reason: 'text', agent_revision: 'integer' },
  set: (value) =>
    `runtime = ${value('runtime')}, runtime_reason = ${value('runtime_reason')}, agent_revision = ${value('agent_revision')}`,
});

@Injectable()
export class JobCommit {
  private readonly log = new Logger('Logs');

  constructor(
    @Inject(Wake) readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(LOG_STORE) private readonly logs: Pick<LogStore, 'complete'>,
    @Inject(WORLD) readonly world: World,
  ) {}

  async lock(tx: WriteTx, { decision, snapshot }: Context): Promise<readonly string[]> {
    if (decision.changes.nextOffer === true && !(await holdFleetOf(tx, snapshot.fleet))) throw new RowLostError();
    const { record, run } = snapshot;
    if (decision.because === null) return [];
    const peers = await lockGang(tx, record, run, decision.status);
    return tx.dialect === 'sqlite' ? peers : [...peers, ...(await workersToWake(tx, record, run, decision.status))];
  }

  async write(tx: WriteTx, context: Context): Promise<CommitResult> {
    const result: { dueAt?: number | null } = {};
    const { decision } = context;
    for (const outcome of context.outcomes) {
      const dueAt = await this.record(tx, context, outcome as Outcome<JobEffect>); // this reconciler's own effects
      if (dueAt !== undefined) result.dueAt = dueAt;
    }
    if (decision.because !== null) await this.changeStatus(tx, context, decision.because);
    if (decision.changes.releaseVolumes === true) await releaseVolumes(tx, this.wake, context.id);
    return result;
  }

  private async changeStatus(tx: WriteTx, { id, snapshot, decision, now }: Context, because: string): Promise<void> {
    const { record, run, instance } = snapshot;
    const { changes, status } = decision;
    const runtime: JobRuntimeRecord = {
      ...record.runtimeRecord,
      ...(status === 'terminating' ? { stopSent: null } : {}),
      ...(changes.owesLog === true ? { owesLog: true } : {}),
    };
    // A machine of a cloud may have had no address when the job was assigned to it.
    const isAddressNews = status === 'provisioning' || record.provisioningData?.hostname === null;
    await changeJob(tx, {
      id,
      status,
      now,
      reason: changes.reason ?? null,
      message: changes.message ?? null,
      exit_status: changes.exitStatus ?? null,
      stop_mode: changes.stopMode ?? null,
      stop_requested_at: status === 'terminating' ? now : null,
      running_at: changes.runningAt ?? null,
      finished_at: changes.finishedAt ?? null,
      runtime_data: writeJson(runtime),
      provisioning_data: isAddressNews && instance !== null ? writeJson(provisioningDataOf(instance)) : null,
    });
    if (status === 'running') await this.beginService(tx, { ...snapshot, now });
    else if (record.registered) await unregister(tx, this.wake, [id]);
    if (changes.release === true) await releaseInstance(tx, this.wake, record);
    const next = changes.nextOffer === true ? await this.nextMachine(tx, snapshot) : null;
    if (isFinishedJob(status) && changes.owesLog !== true) tx.afterCommit(() => this.completeLogs(snapshot));
    const text = `Job status changed ${record.status.toUpperCase()} -> ${status.toUpperCase()} (${because})`;
    const target = eventTarget(snapshot);
    await this.events.record(tx, { message: text, actorId: null, targets: [target] });
    if (next !== null)
      await this.events.record(tx, {
        message: 'Job assigned to instance. Instance status: PENDING. Blocks: 1',
        actorId: null,
        targets: [target, { type: 'instance', projectId: record.projectId, ...next }],
      });
    await this.wake.rows(tx, 'runs', [run.id]);
    await wakeWaitingPeers(tx, this.wake, record, run, status);
    await wakeWorkers(tx, this.wake, record, run, status);
    if (record.instanceId !== null) this.wake.host(tx, 'logs', record.instanceId);
  }

  /** Its place in the fleet is its own until it has another machine: who finds it taken looks again. */
  private async nextMachine(tx: WriteTx, { record: job, instance, fleet }: JobView) {
    const next = instance === null || fleet === null ? null : await makeNextMachine(tx, this, { job, instance, fleet });
    if (next === null || fleet === null) throw new RowLostError();
    return { ...next, fleetId: fleet.id };
  }

  /** From here on the replica is asked whether it is ready. */
  private async beginService(tx: WriteTx, { record, run, now }: JobView & { readonly now: number }): Promise<void> {
    const { id, spec } = record;
    if (spec.service_port === null || spec.service_port === undefined) return;
    const probes = (spec.probes ?? []).map(() => UNPROBED);
    if (probes.length === 0 && needsRouter(record, run)) return this.beginWorker(tx, record, now);
    await tx.execute('UPDATE jobs SET probes = ? WHERE id = ?', [writeJson(probes), id]);
    this.wake.topic(tx, 'probes');
  }

  /** It need not listen anywhere: it is its router that it tells of itself. */
  private async beginWorker(tx: WriteTx, { id, runId }: JobRecord, now: number): Promise<void> {
    await tx.execute(
      'UPDATE jobs SET registered = ?, ready_at = COALESCE(ready_at, CAST(? AS bigint)) WHERE id = ? AND draining_since IS NULL',
      [true, now, id],
    );
    this.wake.replicas(tx, runId);
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
    // Whether or not the host has heard that it may forget the log: it is told again which jobs there are.
    if (effect.do === 'remove' && context.snapshot.record.runtimeRecord.owesLog === true)
      await this.setRuntime(tx, context, { owesLog: false });
    if (!outcome.ok) {
      if (effect.do === 'give-up-log') return context.now + LIMITS.agentRetryMs;
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
      case 'give-up-log':
        await this.setRuntime(tx, context, { owesLog: false });
        await this.tellLostLog(tx, context, outcome.value as number, effect.because); // what it returns
        return undefined;
    }
  }

  private async tellLostLog(tx: WriteTx, { snapshot }: Context, lostBytes: number, because: string): Promise<void> {
    tx.afterCommit(() => this.completeLogs(snapshot));
    if (lostBytes === 0) return;
    await this.events.record(tx, {
      message: `The last ${lostBytes} bytes of the log are lost: ${because}`,
      actorId: null,
      targets: [eventTarget(snapshot)],
    });
  }

  private async recordStart(tx: WriteTx, context: Context, outcome: StartOutcome): Promise<void> {
    if ('refused' in outcome) return this.setRuntime(tx, context, { startError: outcome.refused });
    await this.setRuntime(tx, context, { agent: outcome.started });
    await changeStarted(tx, {
      id: context.id,
      runtime: outcome.runtime,
      runtime_reason: outcome.runtimeReason,
      agent_revision: outcome.started.revision,
    });
    const { instanceId } = context.snapshot.record;
    if (instanceId !== null) this.wake.host(tx, 'logs', instanceId);
  }

  private async setRuntime(
    tx: WriteTx,
    { id, snapshot }: Context,
    fields: Partial<JobRuntimeRecord>,
    message: string | null = null,
  ): Promise<void> {
    await changeRuntime(tx, { id, runtime_data: writeJson({ ...snapshot.record.runtimeRecord, ...fields }), message });
  }
}

function eventTarget({ record, run }: JobView) {
  return {
    type: 'job' as const,
    id: record.id,
    name: record.spec.job_name,
    projectId: record.projectId,
    runId: run.id,
  };
}
