import { Injectable } from '@nestjs/common';
import { type AttachmentFact, isGoneForGood, releaseOf, type VolumeSnapshot, type VolumeUser } from '@dstack/core';
import { findInstances, type InstanceRecord } from '../instances/instance-record.js';
import { findJob, type JobRecord } from '../jobs/job-record.js';
import { inList } from '../persistence/in-list.js';
import type { ReadTx } from '../persistence/transaction.js';
import type { Observed } from '../reconcile/reconciler.js';
import { type AttachmentRecord, findAttachments } from './attachment-record.js';
import { findVolumes, type VolumeRecord } from './volume-record.js';

/** The snapshot for the decision, and the rows behind it for the effects. */
export interface VolumeView {
  readonly snapshot: VolumeSnapshot;
  readonly record: VolumeRecord;
  readonly attachments: readonly AttachmentView[];
  readonly projectName: string;
}

export interface AttachmentView {
  readonly record: AttachmentRecord;
  readonly instance: InstanceRecord | null;
  readonly fact: AttachmentFact;
}

@Injectable()
export class VolumeSnapshots {
  async load(id: string, tx: ReadTx): Promise<Observed<VolumeView> | null> {
    const [record] = await findVolumes(tx, 'id = ?', [id]);
    if (record === undefined || record.deleted) return null;
    const rows = await findAttachments(tx, 'volume_id = ?', [id]);
    const these = inList('id', rows.map(({ instanceId }) => instanceId)); // prettier-ignore
    const instances = rows.length === 0 ? [] : await findInstances(tx, these.sql, these.params);
    const attachments: AttachmentView[] = [];
    for (const row of rows) {
      const instance = instances.find((each) => each.id === row.instanceId) ?? null;
      attachments.push({ record: row, instance, fact: factOf(row, instance, await findJob(tx, row.jobId)) });
    }
    const [project] = await tx.query<{ name: string }>('SELECT name FROM projects WHERE id = ?', [record.projectId]);
    const snapshot = snapshotOf(
      record,
      attachments.map(({ fact }) => fact),
    );
    return { snapshot: { snapshot, record, attachments, projectName: project?.name ?? '' }, restsOn: [] };
  }
}

function snapshotOf(record: VolumeRecord, attachments: readonly AttachmentFact[]): VolumeSnapshot {
  const { id, createdAt, statusChangedAt, trouble } = record;
  const base = { id, createdAt, statusChangedAt };
  const deletionRequested = record.deletionRequestedAt !== null;
  switch (record.status) {
    case 'submitted': {
      const isNamed = record.cloudName !== null;
      const exists = record.cloud !== null;
      return { ...base, status: 'submitted', isExternal: record.external, isNamed, exists, trouble, deletionRequested };
    }
    case 'provisioning':
      return { ...base, status: 'provisioning', exists: record.cloud !== null, trouble, deletionRequested };
    case 'active':
      return {
        ...base,
        status: 'active',
        attachable: record.cloud?.attachable ?? true,
        attachments,
        lastUsedAt: record.lastUsedAt,
        cleanupMs: cleanupMs(record),
        deletionRequested,
      };
    case 'failed':
      return { ...base, status: 'failed', deletionRequested, isGone: nothingToDelete(record), trouble };
    case 'deleting':
      return { ...base, status: 'deleting', isGone: nothingToDelete(record), trouble };
  }
}

function cleanupMs({ external, configuration }: VolumeRecord): number | null {
  const seconds = configuration.auto_cleanup_duration ?? -1;
  return external || seconds <= 0 ? null : seconds * 1000;
}

function nothingToDelete(record: VolumeRecord): boolean {
  return record.external || isGoneForGood(record.cloud !== null, [record]);
}

function factOf(row: AttachmentRecord, instance: InstanceRecord | null, job: JobRecord | null): AttachmentFact {
  return {
    instanceId: row.instanceId,
    isAttached: row.isAttached,
    wasAsked: row.askedAt !== null,
    machine: machineOf(instance),
    release: releaseOf(row, job && userOf(job)),
    refusedBecause: row.refusedBecause,
    nextTryAt: row.trouble?.nextTryAt ?? 0,
  };
}

function machineOf(instance: InstanceRecord | null): AttachmentFact['machine'] {
  if (instance === null) return 'gone';
  const { machine, status } = instance;
  if (machine === null) return 'none';
  if (status === 'terminated' || machine.state === 'gone') return 'gone';
  return machine.state === 'ready' ? 'ready' : 'starting';
}

function userOf({ status, instanceId, finishedAt, terminationReason, spec }: JobRecord): VolumeUser {
  return { status, instanceId, finishedAt, terminationReason, stopDurationSeconds: spec.stop_duration };
}
