import type { InternalBackendType, InternalVolumeStatus } from '../wire/internal-values.js';

/** A network volume as far as runs that mount it depend on it. */
export interface VolumeFact {
  readonly id: string;
  readonly name: string;
  readonly status: InternalVolumeStatus;
  readonly statusMessage: string | null;
  readonly deletionRequested: boolean;
  readonly backend: InternalBackendType;
  readonly region: string;
  /** Null: its machines can be in any zone of the region, or nobody knows its zone yet. */
  readonly zone: string | null;
  /** It comes to one machine at a time; others are bound to as many as want them. */
  readonly attachable: boolean;
  readonly holders: readonly VolumeHolder[];
}

/** A machine that has the volume, is to get it or is to let go of it. */
export interface VolumeHolder {
  readonly instanceName: string;
  /** Null: its job is not there any more. */
  readonly runName: string | null;
  /** The job is done with it. */
  readonly isLeaving: boolean;
}

export type VolumesByName = ReadonlyMap<string, VolumeFact>;

/** Bound when a machine is made, and by several at a time: known before there is a volume that tells. */
const BOUND_AT_CREATION: ReadonlySet<InternalBackendType> = new Set(['runpod', 'kubernetes']);

export function isAttachable(backend: InternalBackendType): boolean {
  return !BOUND_AT_CREATION.has(backend);
}
