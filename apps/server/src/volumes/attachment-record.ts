import type { Trouble } from '@dstack/core';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx, SqlValue } from '../persistence/transaction.js';
import { readJsonOrNull } from '../reconcile/stored-json.js';

/** A volume at a machine, on its way there, or on its way from there, for one job. */
export interface AttachmentRecord {
  readonly volumeId: string;
  readonly instanceId: string;
  readonly jobId: string;
  readonly isAttached: boolean;
  /** When the last attach call began; null: none was made. */
  readonly askedAt: number | null;
  /** When the last attach or detach call began that nobody has recorded the answer of; null: none is under way. */
  readonly unansweredAt: number | null;
  readonly deviceName: string | null;
  readonly createdAt: number;
  /** Since when the job does not need it any more. */
  readonly releasedAt: number | null;
  readonly trouble: Pick<Trouble, 'failures' | 'nextTryAt' | 'message'> | null;
  readonly refusedBecause: string | null;
}

interface Row {
  volume_id: string; instance_id: string; job_id: string; is_attached: boolean | number; asked_at: number | null;
  unanswered_at: number | null; device_name: string | null; created_at: number; released_at: number | null; trouble: string | null; refused_because: string | null;
} // prettier-ignore

export async function findAttachments(
  tx: ReadTx,
  where: string,
  params: readonly SqlValue[],
): Promise<AttachmentRecord[]> {
  const rows = await tx.query<Row>(`SELECT * FROM volume_attachments WHERE ${where} ORDER BY ${ORDER}`, params);
  return rows.map((row) => toRecord(row));
}

/** Those of a machine; asked for at every change of its status. */
export const attachmentsAt = rowsByKey({
  select: 'SELECT * FROM volume_attachments',
  key: 'instance_id',
  suffix: () => ` ORDER BY ${ORDER}`,
  read: (_tx, row: Row) => toRecord(row),
});

const ORDER = 'created_at, volume_id, instance_id';

function toRecord(row: Row): AttachmentRecord {
  return {
    volumeId: row.volume_id,
    instanceId: row.instance_id,
    jobId: row.job_id,
    isAttached: Boolean(row.is_attached),
    askedAt: row.asked_at,
    unansweredAt: row.unanswered_at,
    deviceName: row.device_name,
    createdAt: Number(row.created_at),
    releasedAt: row.released_at,
    trouble: readJsonOrNull<NonNullable<AttachmentRecord['trouble']>>(row.trouble),
    refusedBecause: row.refused_because,
  };
}
