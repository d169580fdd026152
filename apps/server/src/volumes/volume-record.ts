import type { CloudVolume, VolumeConfiguration } from '@dstack/backend-base';
import type { InternalBackendType, InternalVolumeStatus, Trouble } from '@dstack/core';
import type { ReadTx, SqlValue } from '../persistence/transaction.js';
import { readJson, readJsonOrNull } from '../reconcile/stored-json.js';

export interface VolumeRecord {
  readonly id: string;
  readonly projectId: string;
  readonly userId: string;
  readonly name: string;
  readonly status: InternalVolumeStatus;
  readonly statusChangedAt: number;
  readonly statusMessage: string | null;
  readonly configuration: VolumeConfiguration;
  readonly backendType: InternalBackendType;
  readonly region: string;
  /** The user's own: looked up by its id, never deleted. */
  readonly external: boolean;
  readonly cloudName: string | null;
  readonly token: string | null;
  /** When the last create call began whose answer nobody has recorded. */
  readonly askedAt: number | null;
  readonly cloud: CloudVolume | null;
  readonly trouble: Trouble | null;
  readonly createdAt: number;
  readonly activeAt: number | null;
  readonly lastUsedAt: number | null;
  readonly deletionRequestedAt: number | null;
  readonly deleted: boolean;
  readonly deletedAt: number | null;
  readonly rev: number;
}

interface Row {
  id: string; project_id: string; user_id: string; name: string; status: string; status_changed_at: number;
  status_message: string | null; configuration: string; backend_type: string; region: string; external: boolean | number;
  cloud_name: string | null; token: string | null; asked_at: number | null; cloud: string | null; trouble: string | null;
  created_at: number; active_at: number | null; last_used_at: number | null; deletion_requested_at: number | null;
  deleted: boolean | number; deleted_at: number | null; rev: number;
} // prettier-ignore

function toRecord(row: Row): VolumeRecord {
  return {
    id: row.id,
    projectId: row.project_id,
    userId: row.user_id,
    name: row.name,
    status: row.status as InternalVolumeStatus, // written from the same union
    statusChangedAt: Number(row.status_changed_at),
    statusMessage: row.status_message,
    configuration: readJson<VolumeConfiguration>(row.configuration),
    backendType: row.backend_type as InternalBackendType,
    region: row.region,
    external: Boolean(row.external),
    cloudName: row.cloud_name,
    token: row.token,
    askedAt: row.asked_at,
    cloud: readJsonOrNull<CloudVolume>(row.cloud),
    trouble: readJsonOrNull<Trouble>(row.trouble),
    createdAt: Number(row.created_at),
    activeAt: row.active_at,
    lastUsedAt: row.last_used_at,
    deletionRequestedAt: row.deletion_requested_at,
    deleted: Boolean(row.deleted),
    deletedAt: row.deleted_at,
    rev: Number(row.rev),
  };
}

export async function findVolumes(tx: ReadTx, where: string, params: readonly SqlValue[]): Promise<VolumeRecord[]> {
  const rows = await tx.query<Row>(`SELECT * FROM volumes WHERE ${where}`, params);
  return rows.map(toRecord);
}
