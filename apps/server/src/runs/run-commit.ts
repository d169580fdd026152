import { Inject, Injectable } from '@nestjs/common';
import { isFinishedRun, type RunDecision, type RunEffect } from '@dstack/core';
import { terminateJobs, unregister } from '../jobs/terminate-jobs.js';
import { updateById } from '../persistence/update-by-id.js';
import type { WriteTx } from '../persistence/transaction.js';
import { EventRecorder } from '../events/event-recorder.js';
import type { CommitContext } from '../reconcile/reconciler.js';
import { writeSealed } from '../reconcile/sealed-json.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import type { RunRecord } from './run-record.js';
import type { RunView } from './run-snapshots.js';
import { ReplicaSubmitter } from './submit-replicas.js';

type Context = CommitContext<RunView, RunDecision>;

const changeRun = updateById({
  table: 'runs',
  values: {
    status: 'text',
    now: 'bigint',
    reason: 'text',
    resubmission_attempt: 'integer',
    resume_at: 'bigint',
    next_triggered_at: 'bigint',
    finished_at: 'bigint',
    fleet_id: 'text',
  },
  set: (value) =>
    `status = ${value('status')}, status_changed_at = ${value('now')}, termination_reason = ${value('reason')},
     resubmission_attempt = ${value('resubmission_attempt')}, resume_at = ${value('resume_at')},
     next_triggered_at = ${value('next_triggered_at')}, finished_at = ${value('finished_at')}, fleet_id = ${value('fleet_id')}`,
});

@Injectable()
export class RunCommit {
  constructor(
    @Inject(Wake) private readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(ReplicaSubmitter) private readonly submitter: ReplicaSubmitter,
  ) {}

  async write(tx: WriteTx, context: Context): Promise<void> {
    const { decision } = context;
    for (const effect of decision.effects) await this.apply(tx, context, effect);
    if (decision.because !== null) await this.changeStatus(tx, context, decision.because);
    else if (decision.changes.resubmissionAttempt !== undefined) {
      await tx.execute('UPDATE runs SET resubmission_attempt = ? WHERE id = ?', [
        decision.changes.resubmissionAttempt,
        context.id,
      ]);
    }
  }

  private async changeStatus(tx: WriteTx, { id, snapshot, decision, now }: Context, because: string): Promise<void> {
    const { record } = snapshot;
    const { changes, status } = decision;
    await changeRun(tx, {
      id,
      status,
      now,
      reason: status === 'pending' ? null : (changes.reason ?? record.terminationReason),
      resubmission_attempt: changes.resubmissionAttempt ?? record.resubmissionAttempt,
      resume_at: changes.resumeAt === undefined ? record.resumeAt : changes.resumeAt,
      next_triggered_at: changes.nextTriggeredAt === undefined ? record.nextTriggeredAt : changes.nextTriggeredAt,
      finished_at: changes.finishedAt ?? record.finishedAt,
      fleet_id: changes.leaveFleet === true ? null : record.fleetId,
    });
    const text = `Run status changed ${record.status.toUpperCase()} -> ${status.toUpperCase()} (${because})`;
    await this.tell(tx, id, record, text);
    if (isFinishedRun(status)) await tx.execute('DELETE FROM service_traffic WHERE run_id = ?', [id]);
    if (isFinishedRun(status) && record.fleetId !== null) await this.wake.rows(tx, 'fleets', [record.fleetId]);
  }

  private tell(tx: WriteTx, id: string, { name, projectId }: RunRecord, message: string): Promise<void> {
    return this.events.record(tx, {
      message,
      actorId: null,
      targets: [{ type: 'run', id, name, projectId, runId: id }],
    });
  }

  private async apply(tx: WriteTx, { id, snapshot, now }: Context, effect: RunEffect): Promise<void> {
    const { record } = snapshot;
    switch (effect.do) {
      case 'terminate-jobs':
        await terminateJobs(tx, this.wake, effect, now);
        return;
      case 'submit-replicas':
        for (const { num, group } of effect.replicas) {
          await this.submitter.submit(tx, {
            run: { ...record, id },
            spec: record.spec,
            replicaNum: num,
            replicaGroup: group,
          });
        }
        return;
      case 'drain':
        await unregister(tx, this.wake, effect.jobIds);
        for (const jobId of effect.jobIds) {
          await tx.execute('UPDATE jobs SET draining_since = ?, rev = rev + 1 WHERE id = ?', [now, jobId]);
        }
        return;
      case 'scale':
        await tx.execute('UPDATE runs SET replica_scale = ?, desired_replica_count = ? WHERE id = ?', [
          writeJson(effect.scale),
          effect.desired,
          id,
        ]);
        if (effect.because !== null) await this.tell(tx, id, record, effect.because);
        return;
      case 'roll-back':
        await this.rollBack(tx, id, record, effect.because);
        return;
      case 'end-rollout':
        await tx.execute('UPDATE runs SET former_run_spec = NULL WHERE id = ?', [id]);
        await this.tell(tx, id, record, `Update ${record.deploymentNum} complete: all replicas are replaced`);
        return;
      case 'bump-deployment':
        for (const jobId of effect.jobIds) {
          await tx.execute('UPDATE jobs SET deployment_num = ?, rev = rev + 1 WHERE id = ?', [
            effect.deploymentNum,
            jobId,
          ]);
        }
    }
  }

  private async rollBack(tx: WriteTx, id: string, record: RunRecord, because: string): Promise<void> {
    const { formerSpec, deploymentNum } = record;
    if (formerSpec === null) return;
    const note = `Update ${deploymentNum} was taken back: ${because}`;
    await tx.execute(
      `UPDATE runs SET run_spec = ?, former_run_spec = NULL, priority = ?, deployment_num = deployment_num + 1, deployment_note = ?
       WHERE id = ?`,
      [writeSealed(tx, formerSpec), formerSpec.configuration.priority ?? 0, note, id],
    );
    await this.tell(tx, id, record, note);
  }
}
