import type { Mount } from '@dstack/agent-protocol';
import {
  mountsVolumes,
  type NetworkMount,
  networkMounts,
  type VolumeFact,
  type VolumeLocation,
  type Wire,
} from '@dstack/core';
import { inList } from '../persistence/in-list.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import type { Wake } from '../reconcile/wake.js';
import { type AttachmentRecord, attachmentsAt, findAttachments } from './attachment-record.js';
import { findVolumes, type VolumeRecord } from './volume-record.js';

/**
 * The volume is the job's from now on, at this machine and at no other.
 * @returns whether it still was to be had
 */
export async function reserveVolume(
  tx: WriteTx,
  { id, attachable }: VolumeFact,
  { jobId, instanceId }: { readonly jobId: string; readonly instanceId: string },
): Promise<boolean> {
  const alone = attachable ? ' AND NOT EXISTS (SELECT 1 FROM volume_attachments a WHERE a.volume_id = volumes.id)' : '';
  const held = await tx.execute(
    `UPDATE volumes SET rev = rev + 1 WHERE id = ? AND status = 'active' AND deletion_requested_at IS NULL${alone}`,
    [id],
  );
  if (held !== 1) return false;
  await tx.execute(
    'INSERT INTO volume_attachments (volume_id, instance_id, job_id, is_attached, created_at) VALUES (?, ?, ?, ?, ?)',
    // What is bound when the machine is made is there with it.
    [id, instanceId, jobId, !attachable, await tx.now()],
  );
  return true;
}

/**
 * Another machine is made for the job. What was never brought to the first one, or is there with any, is for the next one at once; what may be at the
 * first one leaves it, and comes to the next one then.
 */
export async function giveVolumesTo(tx: WriteTx, wake: Wake, jobId: string, instanceId: string): Promise<void> {
  await tx.execute(
    'UPDATE volume_attachments SET instance_id = ? WHERE job_id = ? AND released_at IS NULL AND asked_at IS NULL',
    [instanceId, jobId],
  );
  const now = await tx.now();
  // Read after that: an attach call may have begun until then.
  const left = await findAttachments(tx, 'job_id = ? AND released_at IS NULL AND instance_id <> ?', [
    jobId,
    instanceId,
  ]);
  for (const { volumeId } of left) {
    await tx.execute(
      'UPDATE volume_attachments SET released_at = ? WHERE job_id = ? AND volume_id = ? AND released_at IS NULL',
      [now, jobId, volumeId],
    );
    await tx.execute(
      'INSERT INTO volume_attachments (volume_id, instance_id, job_id, is_attached, created_at) VALUES (?, ?, ?, ?, ?)',
      [volumeId, instanceId, jobId, false, now],
    );
  }
  await wakeVolumes(tx, wake, await findAttachments(tx, 'job_id = ?', [jobId]));
}

/** The job needs none of its volumes any more. */
export async function releaseVolumes(tx: WriteTx, wake: Wake, jobId: string): Promise<void> {
  const held = await findAttachments(tx, 'job_id = ? AND released_at IS NULL', [jobId]);
  await tx.execute('UPDATE volume_attachments SET released_at = ? WHERE job_id = ? AND released_at IS NULL', [
    await tx.now(),
    jobId,
  ]);
  await wakeVolumes(tx, wake, held);
}

/** Something happened to a machine that volumes are at, or are to come to. */
export async function wakeVolumesOf(tx: WriteTx, wake: Wake, instanceId: string): Promise<void> {
  await wakeVolumes(tx, wake, await attachmentsAt(tx, instanceId));
}

function wakeVolumes(tx: WriteTx, wake: Wake, attachments: readonly AttachmentRecord[]): Promise<void> {
  return wake.rows(tx, 'volumes', attachments.map(({ volumeId }) => volumeId)); // prettier-ignore
}

export interface JobVolumes {
  readonly state: 'none' | 'held' | 'leaving';
  /** What it still waits for; null: they are all there. */
  readonly waitsFor: string | null;
  readonly error: string | null;
}

const NO_VOLUMES: JobVolumes = { state: 'none', waitsFor: null, error: null };

export async function jobVolumes(tx: ReadTx, jobId: string, spec: Wire.JobSpec): Promise<JobVolumes> {
  if (!mountsVolumes(spec)) return NO_VOLUMES;
  const held = await heldBy(tx, jobId);
  const error = held.flatMap(({ attachment, volume }) =>
    attachment.refusedBecause === null
      ? []
      : `volume ${volume.name} could not be attached: ${attachment.refusedBecause}`,
  )[0];
  const isLost = held.length < networkMounts(spec.volumes).length;
  return {
    state: stateOf(held),
    waitsFor: held.map(waitingText).find((text) => text !== null) ?? null,
    error: error ?? (isLost ? 'a volume of it is not reserved any more' : null),
  };
}

/** What was bound when the machine was made goes with the machine, which goes with the job: nobody waits for it. */
function stateOf(held: readonly Held[]): JobVolumes['state'] {
  if (held.every(({ volume }) => volume.cloud?.attachable === false)) return 'none';
  return held.every(({ attachment }) => attachment.releasedAt !== null) ? 'leaving' : 'held';
}

function waitingText({ attachment, volume }: Held): string | null {
  if (attachment.isAttached) return null;
  const trouble = attachment.trouble === null ? '' : ` (${attachment.trouble.message})`;
  return `volume ${volume.name} is not attached yet${trouble}`;
}

/** As the agent mounts them: the volume that was chosen of each mount's names. */
export async function volumeMounts(tx: ReadTx, jobId: string, spec: Wire.JobSpec): Promise<Mount[]> {
  const mounts = networkMounts(spec.volumes);
  if (mounts.length === 0) return [];
  return (await heldBy(tx, jobId)).flatMap((held) => toMount(held, mounts));
}

function toMount({ attachment, volume }: Held, mounts: readonly NetworkMount[]): Mount[] {
  const mount = mounts.find(({ names }) => names.includes(volume.name));
  if (mount === undefined || volume.cloud === null) return [];
  return [
    {
      kind: 'volume',
      backend: volume.backendType,
      name: volume.name,
      volumeId: volume.cloud.volumeId,
      ...(attachment.deviceName === null ? {} : { deviceName: attachment.deviceName }),
      // A disk of the user's own is never formatted.
      initFs: !volume.external,
      path: mount.path,
    },
  ];
}

export interface ReservedVolumes {
  /** Where a machine for them has to be; null: anywhere. */
  readonly locations: readonly VolumeLocation[] | null;
  /** Ids of those that are bound when the machine is made. */
  readonly boundIds: readonly string[];
}

/** Of a machine that is yet to be made. */
export async function reservedVolumes(tx: ReadTx, instanceId: string): Promise<ReservedVolumes> {
  const attachments = await attachmentsAt(tx, instanceId);
  if (attachments.length === 0) return { locations: null, boundIds: [] };
  const volumes = (await withVolumes(tx, attachments)).map(({ volume }) => volume);
  const [first] = volumes;
  if (first === undefined) return { locations: null, boundIds: [] };
  const zone = volumes.flatMap(({ cloud }) => cloud?.zone ?? [])[0] ?? null;
  return {
    locations: [{ backend: first.backendType, region: first.region, zone }],
    boundIds: volumes.flatMap(({ cloud }) => (cloud === null || cloud.attachable ? [] : [cloud.volumeId])),
  };
}

/** Not those that were bound when it was made: they go with it. */
export async function hasAttachedVolumes(tx: ReadTx, instanceId: string): Promise<boolean> {
  const [first] = await findAttachments(tx, 'instance_id = ? AND asked_at IS NOT NULL', [instanceId]);
  return first !== undefined;
}

/** Of jobs that end: what they still wait for, by job. */
export async function detachingVolumes(tx: ReadTx, jobIds: readonly string[]): Promise<Map<string, string>> {
  if (jobIds.length === 0) return new Map();
  const these = inList('job_id', jobIds);
  const attachments = await findAttachments(tx, `${these.sql} AND released_at IS NOT NULL`, these.params);
  const texts = new Map<string, string>();
  for (const { attachment, volume } of await withVolumes(tx, attachments)) {
    const trouble = attachment.trouble === null ? '' : `: ${attachment.trouble.message}`;
    texts.set(attachment.jobId, `volume ${volume.name} is being detached${trouble}`);
  }
  return texts;
}

interface Held {
  readonly attachment: AttachmentRecord;
  readonly volume: VolumeRecord;
}

/** At the machine it has; what still leaves an earlier one, which failed to start, is not its concern. */
async function heldBy(tx: ReadTx, jobId: string): Promise<Held[]> {
  const all = await findAttachments(tx, 'job_id = ?', [jobId]);
  const wanted = all.filter(({ releasedAt }) => releasedAt === null);
  return withVolumes(tx, wanted.length > 0 ? wanted : all);
}

async function withVolumes(tx: ReadTx, attachments: readonly AttachmentRecord[]): Promise<Held[]> {
  if (attachments.length === 0) return [];
  const these = inList('id', attachments.map(({ volumeId }) => volumeId)); // prettier-ignore
  const volumes = new Map((await findVolumes(tx, these.sql, these.params)).map((volume) => [volume.id, volume]));
  return attachments.flatMap((attachment) => {
    const volume = volumes.get(attachment.volumeId);
    return volume === undefined ? [] : [{ attachment, volume }];
  });
}
