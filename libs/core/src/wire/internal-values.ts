import type { BackendType, InstanceStatus, VolumeStatus } from './enums.js';

/** Backends as we know them: everything of the contract, and this machine. */
export type InternalBackendType = BackendType | 'local';

/** `launching`: the name of the machine is committed, the create call may or may not have reached the cloud. */
export type InternalInstanceStatus = InstanceStatus | 'launching';

const WIRE_INSTANCE_STATUS: Readonly<Record<InternalInstanceStatus, InstanceStatus>> = {
  pending: 'pending',
  launching: 'pending',
  provisioning: 'provisioning',
  idle: 'idle',
  busy: 'busy',
  terminating: 'terminating',
  terminated: 'terminated',
};

export function toWireInstanceStatus(status: InternalInstanceStatus): InstanceStatus {
  return WIRE_INSTANCE_STATUS[status];
}

/** `deleting`: somebody asked for it, or its time without use is over; the cloud may still have it. */
export type InternalVolumeStatus = VolumeStatus | 'deleting';

const WIRE_VOLUME_STATUS: Readonly<Record<InternalVolumeStatus, VolumeStatus>> = {
  submitted: 'submitted',
  provisioning: 'provisioning',
  active: 'active',
  failed: 'failed',
  deleting: 'active',
};

export function toWireVolumeStatus(status: InternalVolumeStatus): VolumeStatus {
  return WIRE_VOLUME_STATUS[status];
}

/** Existing clients reject a backend they do not know; `remote` is what they show for machines nobody rents. */
export function toWireBackend(backend: InternalBackendType): BackendType {
  return backend === 'local' ? 'remote' : backend;
}

/** What a person should read: the additive `backend_display` field. */
export function displayBackend(backend: InternalBackendType): string {
  return backend === 'remote' ? 'ssh' : backend;
}
