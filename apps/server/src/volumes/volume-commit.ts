import { type CloudVolume, isBackendError, statusText, type Termination } from '@dstack/backend-base';
import {
  cloudName,
  detachAgainAt,
  isDetached,
  isFinalFailure,
  isRefusal,
  LIMITS,
  type VolumeDecision,
  type VolumeEffect,
  type Trouble,
  troubleAfter,
} from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import { EventRecorder } from '../events/event-recorder.js';
import type { WriteTx } from '../persistence/transaction.js';
import type { CommitContext, CommitResult, Outcome } from '../reconcile/reconciler.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import { WORLD, type World } from '../world/world.js';
import type { AttachmentRecord } from './attachment-record.js';
import type { PlannedVolume } from './volume-effects.js';
import type { AttachmentView, VolumeView } from './volume-snapshots.js';
import { volumeTarget } from './volume-target.js';

type Context = CommitContext<VolumeView, VolumeDecision>;

const TEXT_LIMIT = 800;
const EARLIER_CALL = 'an earlier call to the cloud had no answer, and may still arrive';

/** Writes what was decided about a volume and what the effects brought. */
@Injectable()
export class VolumeCommit {
  constructor(
    @Inject(Wake) private readonly wake: Wake,
    @Inject(EventRecorder) private readonly events: EventRecorder,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async write(tx: WriteTx, context: Context): Promise<CommitResult> {
    const { decision, outcomes, id, now } = context;
    const dues: number[] = [];
    for (const outcome of outcomes) {
      const due = await this.record(tx, context, outcome as Outcome<VolumeEffect>); // this reconciler's own effects
      if (due !== null) dues.push(due);
    }
    if (decision.because !== null) await this.changeStatus(tx, context, decision.because);
    if (decision.changes.deletedAt !== undefined) {
      await tx.execute('UPDATE volumes SET deleted = ?, deleted_at = ? WHERE id = ?', [true, now, id]);
      await this.tell(tx, context, 'Volume deleted');
    }
    return dues.length === 0 ? {} : { dueAt: Math.min(...dues, decision.dueAt ?? Infinity) };
  }

  private async changeStatus(tx: WriteTx, context: Context, because: string): Promise<void> {
    const { id, decision, snapshot, now } = context;
    const { changes, status } = decision;
    await tx.execute(
      `UPDATE volumes SET status = ?, status_changed_at = ?, status_message = ?, trouble = NULL,
         active_at = COALESCE(active_at, CAST(? AS bigint)) WHERE id = ?`,
      [status, now, changes.message ?? null, changes.activeAt ?? null, id],
    );
    await this.tell(
      tx,
      context,
      `Volume status changed ${snapshot.record.status.toUpperCase()} -> ${status.toUpperCase()} (${because})`,
    );
    // Runs wait for it to be there, or learn that it will not.
    this.wake.topic(tx, 'placement');
  }

  /** Returns when to look again, where the outcome says so. */
  private async record(tx: WriteTx, context: Context, outcome: Outcome<VolumeEffect>): Promise<number | null> {
    const { effect } = outcome;
    switch (effect.do) {
      case 'plan':
        return outcome.ok
          ? this.recordPlan(tx, context, outcome.value as PlannedVolume)
          : this.fail(tx, context, outcome.error);
      case 'register':
      case 'create':
        return outcome.ok
          ? this.recordCloud(tx, context, outcome.value as CloudVolume)
          : this.fail(tx, context, outcome.error);
      case 'delete':
        return this.recordDelete(tx, context, outcome);
      case 'attach':
        return this.recordAttach(tx, context, effect.instanceId, outcome);
      case 'detach':
        return this.recordDetach(tx, context, effect.instanceId, outcome);
      case 'forget':
        return this.drop(tx, context, effect.instanceId, null);
    }
  }

  private async recordPlan(
    tx: WriteTx,
    { id, snapshot, now }: Context,
    { maxNameLength }: PlannedVolume,
  ): Promise<number> {
    const parts = { project: snapshot.projectName, name: snapshot.record.name };
    const name = cloudName(parts, () => this.world.random.next(), maxNameLength);
    await tx.execute('UPDATE volumes SET cloud_name = ?, token = ?, trouble = NULL WHERE id = ?', [
      name,
      this.world.ids.uuid(),
      id,
    ]);
    return now;
  }

  private async recordCloud(tx: WriteTx, { id, snapshot, now }: Context, cloud: CloudVolume): Promise<number> {
    // This call is answered; one before it may not be.
    await tx.execute('UPDATE volumes SET cloud = ?, asked_at = CAST(? AS bigint), trouble = NULL WHERE id = ?', [
      writeJson(cloud),
      snapshot.record.askedAt,
      id,
    ]);
    return now;
  }

  private async fail(tx: WriteTx, { id, snapshot, now }: Context, error: unknown): Promise<number> {
    const trouble = troubleOf(error, snapshot.record.trouble, now);
    await tx.execute('UPDATE volumes SET trouble = ? WHERE id = ?', [writeJson(trouble), id]);
    // This call is answered; one before it may not be.
    if (isBackendError(error) && isRefusal(error.failure))
      await tx.execute('UPDATE volumes SET asked_at = CAST(? AS bigint) WHERE id = ?', [snapshot.record.askedAt, id]);
    return trouble.isFinal ? now : trouble.nextTryAt;
  }

  private async recordDelete(tx: WriteTx, context: Context, outcome: Outcome<VolumeEffect>): Promise<number> {
    const { id, snapshot, now } = context;
    if (outcome.ok && outcome.value === 'done') {
      await tx.execute('UPDATE volumes SET cloud = NULL, asked_at = NULL, trouble = NULL WHERE id = ?', [id]);
      return now;
    }
    if (outcome.ok) return now + LIMITS.detachPollMs;
    const trouble = troubleOf(outcome.error, snapshot.record.trouble, now);
    await tx.execute('UPDATE volumes SET trouble = ? WHERE id = ?', [writeJson(trouble), id]);
    return trouble.nextTryAt;
  }

  private async recordAttach(
    tx: WriteTx,
    context: Context,
    instanceId: string,
    outcome: Outcome<VolumeEffect>,
  ): Promise<number | null> {
    const { id } = context;
    const attachment = attachmentOf(context, instanceId);
    if (!outcome.ok) {
      if (!isFinal(outcome.error)) return this.troubled(tx, context, instanceId, outcome.error);
      await this.answered(tx, context, instanceId);
      const text = statusText(outcome.error, TEXT_LIMIT);
      await tx.execute('UPDATE volume_attachments SET refused_because = ? WHERE volume_id = ? AND instance_id = ?', [
        text,
        id,
        instanceId,
      ]);
      await this.tell(tx, context, `Volume could not be attached: ${text}`, attachment);
      await this.wakeJob(tx, attachment);
      return null;
    }
    await this.answered(tx, context, instanceId);
    const { deviceName } = outcome.value as { readonly deviceName: string | null }; // what `attach` returns
    await tx.execute(
      'UPDATE volume_attachments SET is_attached = ?, device_name = ?, trouble = NULL WHERE volume_id = ? AND instance_id = ?',
      [true, deviceName, id, instanceId],
    );
    await this.tell(tx, context, 'Volume attached', attachment);
    await this.wakeJob(tx, attachment);
    return null;
  }

  private async recordDetach(
    tx: WriteTx,
    context: Context,
    instanceId: string,
    outcome: Outcome<VolumeEffect>,
  ): Promise<number | null> {
    if (!outcome.ok) return this.troubled(tx, context, instanceId, outcome.error);
    const { record, fact } = attachmentOf(context, instanceId) ?? { record: null, fact: { machine: 'gone' as const } };
    const unanswered = { askedAt: record?.unansweredAt ?? null };
    const answer = outcome.value as Termination; // what `detach` returns
    if (isDetached(answer, fact, unanswered, context.now)) return this.drop(tx, context, instanceId, 'Volume detached');
    await this.answered(tx, context, instanceId);
    const nextTryAt = detachAgainAt(answer, unanswered);
    if (nextTryAt === null) return null;
    await this.waitUntil(tx, context, instanceId, { failures: 0, nextTryAt, message: EARLIER_CALL });
    return nextTryAt;
  }

  /** This call is answered; one before it may not be. */
  private async answered(tx: WriteTx, context: Context, instanceId: string): Promise<void> {
    await tx.execute(
      'UPDATE volume_attachments SET unanswered_at = CAST(? AS bigint) WHERE volume_id = ? AND instance_id = ?',
      [attachmentOf(context, instanceId)?.record.unansweredAt ?? null, context.id, instanceId],
    );
  }

  private async troubled(tx: WriteTx, context: Context, instanceId: string, error: unknown): Promise<number> {
    const { failures, nextTryAt, message } = troubleOf(
      error,
      attachmentOf(context, instanceId)?.record.trouble ?? null,
      context.now,
    );
    await this.waitUntil(tx, context, instanceId, { failures, nextTryAt, message });
    return nextTryAt;
  }

  private async waitUntil(
    tx: WriteTx,
    { id }: Context,
    instanceId: string,
    trouble: NonNullable<AttachmentRecord['trouble']>,
  ): Promise<void> {
    await tx.execute('UPDATE volume_attachments SET trouble = ? WHERE volume_id = ? AND instance_id = ?', [
      writeJson(trouble),
      id,
      instanceId,
    ]);
  }

  private async drop(tx: WriteTx, context: Context, instanceId: string, text: string | null): Promise<number> {
    const { id, now } = context;
    const attachment = attachmentOf(context, instanceId);
    await tx.execute('DELETE FROM volume_attachments WHERE volume_id = ? AND instance_id = ?', [id, instanceId]);
    await tx.execute('UPDATE volumes SET last_used_at = ? WHERE id = ?', [now, id]);
    if (text !== null) await this.tell(tx, context, text, attachment);
    await this.wakeJob(tx, attachment);
    await this.wake.rows(tx, 'instances', [instanceId]);
    this.wake.topic(tx, 'placement');
    return now;
  }

  private async wakeJob(tx: WriteTx, attachment: AttachmentView | undefined): Promise<void> {
    if (attachment !== undefined) await this.wake.rows(tx, 'jobs', [attachment.record.jobId]);
  }

  private tell(tx: WriteTx, { snapshot: { record } }: Context, message: string, at?: AttachmentView): Promise<void> {
    const instance = at?.instance ?? null;
    const { fleetId } = instance ?? { fleetId: null };
    return this.events.record(tx, {
      message,
      actorId: null,
      targets: [
        volumeTarget(record),
        ...(instance === null
          ? []
          : [
              {
                type: 'instance' as const,
                id: instance.id,
                name: instance.name,
                projectId: instance.projectId,
                ...(fleetId === null ? {} : { fleetId }),
              },
            ]),
      ],
    });
  }
}

function attachmentOf({ snapshot }: Context, instanceId: string): AttachmentView | undefined {
  return snapshot.attachments.find(({ record }) => record.instanceId === instanceId);
}

function isFinal(error: unknown): boolean {
  return isBackendError(error) && isFinalFailure(error.failure.kind);
}

function troubleOf(error: unknown, last: Pick<Trouble, 'failures'> | null, now: number): Trouble {
  const retryAt = isBackendError(error) ? error.failure.retryAt : undefined;
  const failed = { message: statusText(error, TEXT_LIMIT), isFinal: isFinal(error), retryAt };
  return troubleAfter(failed, last, { minMs: LIMITS.volumeRetryMinMs, maxMs: LIMITS.volumeRetryMaxMs }, now);
}
