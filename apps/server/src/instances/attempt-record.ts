import { type FailedPlace, gpusOf, type InternalBackendType, type Offer } from '@dstack/core';
import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx } from '../persistence/transaction.js';
import { readJson } from '../reconcile/stored-json.js';

export interface AttemptRecord {
  readonly id: string;
  readonly instanceId: string;
  readonly attempt: number;
  readonly offer: Offer;
  readonly backendType: InternalBackendType;
  readonly region: string;
  readonly zone: string | null;
  readonly cloudName: string;
  readonly token: string;
  /** When the last create call began whose answer nobody has recorded: it may still be under way. */
  readonly askedAt: number | null;
  /** Null: not asked yet. `unknown`: asked, and no answer came. */
  readonly outcome: 'unknown' | 'created' | 'failed' | null;
  readonly failureKind: string | null;
  readonly failureBlocks: string | null;
  readonly message: string | null;
  readonly createdAt: number;
  readonly finishedAt: number | null;
}

interface Row {
  id: string; instance_id: string; attempt: number; offer: string; backend_type: string; region: string; zone: string | null; cloud_name: string;
  token: string; asked_at: number | null; outcome: string | null; failure_kind: string | null; failure_blocks: string | null; message: string | null;
  created_at: number; finished_at: number | null;
} // prettier-ignore

/** Of an instance, the first one first. */
export const findAttempts = rowsByKey({
  select: 'SELECT * FROM provisioning_attempts',
  key: 'instance_id',
  suffix: () => ' ORDER BY attempt',
  read: toRecord,
});

/** Of all instances that were made for a job, one after the other. */
export const findAttemptsFor = rowsByKey({
  select: `SELECT a.*, i.provisioning_job_id FROM provisioning_attempts a JOIN instances i ON i.id = a.instance_id`,
  key: 'provisioning_job_id',
  suffix: () => ' ORDER BY a.created_at, a.attempt',
  read: (tx, row: Row & { readonly provisioning_job_id: string }) => toRecord(tx, row),
});

function toRecord(_tx: ReadTx, row: Row): AttemptRecord {
  return {
    id: row.id,
    instanceId: row.instance_id,
    attempt: row.attempt,
    offer: readJson<Offer>(row.offer),
    backendType: row.backend_type as InternalBackendType, // written from the same union
    region: row.region,
    zone: row.zone,
    cloudName: row.cloud_name,
    token: row.token,
    askedAt: row.asked_at,
    outcome: row.outcome as AttemptRecord['outcome'],
    failureKind: row.failure_kind,
    failureBlocks: row.failure_blocks,
    message: row.message,
    createdAt: Number(row.created_at),
    finishedAt: row.finished_at,
  };
}

/** What the attempts that are over say about where not to try. */
export function failedPlaces(attempts: readonly AttemptRecord[]): FailedPlace[] {
  return attempts.map(({ offer, region, zone, failureBlocks }) => ({
    backend: offer.backend,
    region,
    zone,
    instanceType: offer.instance.name,
    gpus: gpusOf(offer),
    isSpot: offer.instance.resources.spot,
    blocks: failureBlocks,
  }));
}
