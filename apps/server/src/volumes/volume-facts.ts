import { isAttachable, isFinishedJob, mountsVolumes, type VolumesByName, type Wire } from '@dstack/core';
import { inList } from '../persistence/in-list.js';
import type { ReadTx } from '../persistence/transaction.js';
import { findVolumes } from './volume-record.js';

const NONE: VolumesByName = new Map();

/** The volumes of a project that jobs may mount; nothing is read when none of them mounts any. */
export async function volumesFor(
  tx: ReadTx,
  projectId: string,
  specs: Iterable<Pick<Wire.JobSpec, 'volumes'>>,
): Promise<VolumesByName> {
  for (const spec of specs) if (mountsVolumes(spec)) return loadVolumes(tx, projectId);
  return NONE;
}

async function loadVolumes(tx: ReadTx, projectId: string): Promise<VolumesByName> {
  const records = await findVolumes(tx, 'project_id = ? AND deleted = ?', [projectId, false]);
  const these = inList('a.volume_id', records.map(({ id }) => id)); // prettier-ignore
  const rows = await tx.query<{
    volume_id: string;
    instance: string;
    run: string | null;
    job_status: Wire.JobStatus | null;
    released_at: number | null;
  }>(
    `SELECT a.volume_id, i.name AS instance, r.name AS run, j.status AS job_status, a.released_at FROM volume_attachments a
       JOIN instances i ON i.id = a.instance_id LEFT JOIN jobs j ON j.id = a.job_id LEFT JOIN runs r ON r.id = j.run_id
     WHERE ${these.sql}`,
    these.params,
  );
  const holders = Map.groupBy(rows, (row) => row.volume_id);
  return new Map(
    records.map(
      ({ id, name, status, statusMessage, backendType, region, cloud, configuration, deletionRequestedAt }) => [
        name,
        {
          id,
          name,
          status,
          statusMessage,
          deletionRequested: deletionRequestedAt !== null,
          backend: backendType,
          region,
          zone:
            cloud?.zone ?? ('availability_zone' in configuration ? (configuration.availability_zone ?? null) : null),
          attachable: cloud?.attachable ?? isAttachable(backendType),
          holders: (holders.get(id) ?? []).map((row) => ({
            instanceName: row.instance,
            runName: row.run,
            isLeaving: row.released_at !== null || row.job_status === null || isOver(row.job_status),
          })),
        },
      ],
    ),
  );
}

function isOver(status: Wire.JobStatus): boolean {
  return status === 'terminating' || isFinishedJob(status);
}
