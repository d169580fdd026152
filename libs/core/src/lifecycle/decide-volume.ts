import type { InternalVolumeStatus } from '../wire/internal-values.js';
import { decideAttachment } from './decide-attachment.js';
import { type Decision, go, type Instant, stay, undecided } from './decision.js';
import { LIMITS } from './limits.js';
import type {
  ActiveVolume,
  DeletingVolume,
  FailedVolume,
  ProvisioningVolume,
  SubmittedVolume,
  VolumeChanges,
  VolumeEffect,
  VolumeSnapshot,
} from './volume-snapshot.js';
import type { Trouble } from './trouble.js';

export type VolumeDecision = Decision<InternalVolumeStatus, VolumeEffect, VolumeChanges>;

/** The name is committed as `provisioning` one pass before a `create` effect exists: a crash leaves a name to look for, never a lost volume. */
export function decideVolume(volume: VolumeSnapshot, now: Instant): VolumeDecision {
  switch (volume.status) {
    case 'submitted':
      return decideSubmitted(volume, now);
    case 'provisioning':
      return decideProvisioning(volume, now);
    case 'active':
      return decideActive(volume, now);
    case 'failed':
      return decideFailed(volume, now);
    case 'deleting':
      return decideDeleting(volume, now);
    default:
      return undecided(volume);
  }
}

function decideSubmitted(volume: SubmittedVolume, now: Instant): VolumeDecision {
  if (volume.deletionRequested) return remove('deletion requested', now);
  if (volume.exists) return activate('found in the cloud', now);
  const over = whyOver(volume, now);
  if (over !== null) return fail(over, now);
  if (volume.isNamed) return go('provisioning', { dueAt: now, because: 'its name is on disk' });
  return attempt('submitted', { do: volume.isExternal ? 'register' : 'plan' }, volume.trouble, now);
}

function decideProvisioning(volume: ProvisioningVolume, now: Instant): VolumeDecision {
  if (volume.exists) return activate('created', now);
  if (volume.deletionRequested) return remove('deletion requested', now);
  const over = whyOver(volume, now);
  if (over !== null) return fail(over, now);
  return attempt('provisioning', { do: 'create' }, volume.trouble, now);
}

/** A final answer, or a passing one that does not pass. */
function whyOver({ trouble, createdAt }: SubmittedVolume | ProvisioningVolume, now: Instant): string | null {
  if (trouble === null) return null;
  return trouble.isFinal || now >= createdAt + LIMITS.volumeCreateMs ? trouble.message : null;
}

function attempt(
  status: InternalVolumeStatus,
  effect: VolumeEffect,
  trouble: Trouble | null,
  now: Instant,
): VolumeDecision {
  if (trouble !== null && now < trouble.nextTryAt) return stay(status, { dueAt: trouble.nextTryAt });
  return stay(status, { effects: [effect], dueAt: now + LIMITS.volumeRetryMinMs });
}

function decideActive(volume: ActiveVolume, now: Instant): VolumeDecision {
  const { attachments } = volume;
  if (attachments.length > 0) {
    const isElsewhere = attachments.some(({ release }) => release !== null);
    const { attachable } = volume;
    const decided = attachments.map((attachment) => decideAttachment(attachment, { attachable, isElsewhere }, now));
    const dues = decided.flatMap(({ dueAt }) => dueAt ?? []);
    return stay('active', {
      effects: decided.flatMap(({ effect }) => effect ?? []),
      dueAt: dues.length === 0 ? null : Math.min(...dues),
    });
  }
  if (volume.deletionRequested) return remove('deletion requested', now);
  if (volume.cleanupMs === null) return stay('active', {});
  const deadline = (volume.lastUsedAt ?? volume.createdAt) + volume.cleanupMs;
  return now < deadline ? stay('active', { dueAt: deadline }) : remove('not used for its auto_cleanup_duration', now);
}

/** Nobody has a volume that failed; what was made of it all the same would cost for ever. */
function decideFailed(volume: FailedVolume, now: Instant): VolumeDecision {
  if (volume.deletionRequested) return remove('deletion requested', now);
  return volume.isGone ? stay('failed', {}) : stay('failed', dropIt(volume.trouble, now));
}

/** For ever: a volume that cannot be deleted stays visible, with its price and its last error. */
function decideDeleting({ isGone, trouble }: DeletingVolume, now: Instant): VolumeDecision {
  if (isGone) return stay('deleting', { changes: { deletedAt: now } });
  return stay('deleting', dropIt(trouble, now));
}

function dropIt(trouble: DeletingVolume['trouble'], now: Instant): { effects?: VolumeEffect[]; dueAt: Instant } {
  if (trouble !== null && now < trouble.nextTryAt) return { dueAt: trouble.nextTryAt };
  return { effects: [{ do: 'delete' }], dueAt: now + LIMITS.detachPollMs };
}

function activate(because: string, now: Instant): VolumeDecision {
  return go('active', { changes: { activeAt: now, message: null }, dueAt: now, because });
}

function fail(message: string, now: Instant): VolumeDecision {
  return go('failed', { changes: { message }, dueAt: now, because: message });
}

function remove(because: string, now: Instant): VolumeDecision {
  return go('deleting', { dueAt: now, because });
}
