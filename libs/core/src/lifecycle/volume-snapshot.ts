import type { Instant } from './decision.js';
import type { Trouble } from './trouble.js';

interface VolumeBase {
  readonly id: string;
  readonly createdAt: Instant;
  readonly statusChangedAt: Instant;
}

/** Wished for. One that exists already is looked up; another needs a name before it is created. */
export interface SubmittedVolume extends VolumeBase {
  readonly status: 'submitted';
  readonly isExternal: boolean;
  /** Its name in the cloud and its token are on disk. */
  readonly isNamed: boolean;
  /** The cloud has it. */
  readonly exists: boolean;
  readonly trouble: Trouble | null;
  readonly deletionRequested: boolean;
}

/** Its name is on disk: a create call may have been made. */
export interface ProvisioningVolume extends VolumeBase {
  readonly status: 'provisioning';
  readonly exists: boolean;
  readonly trouble: Trouble | null;
  readonly deletionRequested: boolean;
}

export interface ActiveVolume extends VolumeBase {
  readonly status: 'active';
  /** Bound to machines after they exist, by calls of its own. */
  readonly attachable: boolean;
  readonly attachments: readonly AttachmentFact[];
  /** When the last job that used it ended; null: no job has. */
  readonly lastUsedAt: Instant | null;
  /** Null: never deleted for not being used. */
  readonly cleanupMs: number | null;
  readonly deletionRequested: boolean;
}

export interface FailedVolume extends VolumeBase {
  readonly status: 'failed';
  readonly deletionRequested: boolean;
  /** As of one that is deleted: a create call without an answer may have made it all the same. */
  readonly isGone: boolean;
  readonly trouble: Pick<Trouble, 'failures' | 'nextTryAt'> | null;
}

export interface DeletingVolume extends VolumeBase {
  readonly status: 'deleting';
  /** Confirmed by the cloud, never asked for, or not ours to delete. */
  readonly isGone: boolean;
  readonly trouble: Pick<Trouble, 'failures' | 'nextTryAt'> | null;
}

export type VolumeSnapshot = SubmittedVolume | ProvisioningVolume | ActiveVolume | FailedVolume | DeletingVolume;

/** A volume and the machine it is at, or has to come to or to leave. */
export interface AttachmentFact {
  readonly instanceId: string;
  readonly isAttached: boolean;
  /** An attach call was made: whatever it answered, it may have had an effect. */
  readonly wasAsked: boolean;
  readonly machine: 'none' | 'starting' | 'ready' | 'gone';
  /** Null: its job still wants it. */
  readonly release: ReleaseFact | null;
  /** Why it cannot be attached; its job ends for it. */
  readonly refusedBecause: string | null;
  readonly nextTryAt: Instant;
}

export interface ReleaseFact {
  readonly requestedAt: Instant;
  /** The job's `stop_duration`; null: off. */
  readonly stopMs: number | null;
  readonly isAborted: boolean;
}

export type VolumeEffect =
  /** Choose the name and the token; nothing of the cloud is touched. */
  | { readonly do: 'plan' }
  /** Look up the volume that the configuration names. */
  | { readonly do: 'register' }
  /** A repeat is the same attempt. */
  | { readonly do: 'create' }
  | { readonly do: 'attach'; readonly instanceId: string }
  /** Ask for it, or ask whether it is done. */
  | { readonly do: 'detach'; readonly instanceId: string; readonly force: boolean }
  /** Of an attachment that the cloud never heard of, or has undone with the machine. */
  | { readonly do: 'forget'; readonly instanceId: string }
  | { readonly do: 'delete' };

export interface VolumeChanges {
  readonly message: string | null;
  readonly deletedAt: Instant;
  /** It exists and is paid for. */
  readonly activeAt: Instant;
}
