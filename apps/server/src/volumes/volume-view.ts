import { toWireBackend, toWireVolumeStatus, type Wire, volumeCostUsd } from '@dstack/core';
import { toWireTime } from '../http/wire-time.js';
import type { AttachmentRecord } from './attachment-record.js';
import type { VolumeRecord } from './volume-record.js';

export interface AttachedInstance {
  readonly attachment: AttachmentRecord;
  readonly name: string;
  readonly instanceNum: number;
  readonly fleetName: string | null;
}

export interface VolumeFacts {
  readonly volume: VolumeRecord;
  readonly projectName: string;
  readonly userName: string;
  readonly attached: readonly AttachedInstance[];
  readonly now: number;
}

/** The contract's volume, and what it leaves out: that it is being deleted or detached, and what is in the way. */
export type ExplainedVolume = Wire.Volume & {
  readonly status_display: string;
  readonly last_error: string | null;
};

export function toWireVolume({ volume, projectName, userName, attached, now }: VolumeFacts): ExplainedVolume {
  const { cloud, deletedAt, activeAt } = volume;
  return {
    id: volume.id,
    name: volume.name,
    user: userName,
    project_name: projectName,
    configuration: volume.configuration,
    external: volume.external,
    created_at: toWireTime(volume.createdAt),
    last_processed_at: toWireTime(volume.statusChangedAt),
    status: toWireVolumeStatus(volume.status),
    status_message: volume.statusMessage,
    status_display: displayed(volume, attached),
    last_error: lastError(volume, attached),
    deleted: volume.deleted,
    deleted_at: deletedAt === null ? null : toWireTime(deletedAt),
    volume_id: cloud?.volumeId ?? null,
    provisioning_data:
      cloud === null
        ? null
        : {
            backend: toWireBackend(volume.backendType),
            volume_id: cloud.volumeId,
            size_gb: cloud.sizeGb,
            availability_zone: cloud.zone,
            price: cloud.priceUsdPerMonth,
            attachable: cloud.attachable,
            detachable: cloud.attachable,
            backend_data: cloud.backendData,
          },
    // A volume of the user's own is paid for whether we know it or not.
    cost: volume.external
      ? 0
      : volumeCostUsd({ priceUsdPerMonth: cloud?.priceUsdPerMonth ?? null, activeAt, deletedAt }, now),
    attachments: attached.map(({ attachment, name, instanceNum, fleetName }) => ({
      instance: { name, instance_num: instanceNum, fleet_name: fleetName, instance_id: attachment.instanceId },
      attachment_data: attachment.isAttached ? { device_name: attachment.deviceName } : null,
    })),
    attachment_data: null,
  };
}

function displayed({ status }: VolumeRecord, attached: readonly AttachedInstance[]): string {
  if (status !== 'active' || attached.length === 0) return status;
  if (attached.some(({ attachment }) => attachment.releasedAt !== null)) return 'detaching';
  return attached.every(({ attachment }) => attachment.isAttached) ? 'attached' : 'attaching';
}

function lastError({ trouble }: VolumeRecord, attached: readonly AttachedInstance[]): string | null {
  const [first] = attached.flatMap(({ attachment }) => attachment.refusedBecause ?? attachment.trouble?.message ?? []);
  return first ?? trouble?.message ?? null;
}
