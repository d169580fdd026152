import { DEFAULT_STOP_DURATION_SECONDS } from '../runs/effective-profile.js';
import { isFinishedJob } from '../wire/endings.js';
import type { JobStatus, JobTerminationReason } from '../wire/enums.js';
import type { Instant } from './decision.js';
import type { ReleaseFact } from './volume-snapshot.js';

/** A volume that was seated at a machine, for a job. */
export interface SeatedVolume {
  readonly instanceId: string;
  readonly createdAt: Instant;
  /** When the job gave it up; null: nobody has said so. */
  readonly releasedAt: Instant | null;
}

export interface VolumeUser {
  readonly status: JobStatus;
  readonly instanceId: string | null;
  readonly finishedAt: Instant | null;
  /** Absent: the default; null or negative: off. */
  readonly stopDurationSeconds: number | null | undefined;
  readonly terminationReason: JobTerminationReason | null;
}

/** Null: its job needs it. One that has ended, or is not there any more, needs nothing, whoever should have said so. */
export function releaseOf(
  { releasedAt, createdAt, instanceId }: SeatedVolume,
  job: VolumeUser | null,
): ReleaseFact | null {
  const isOver = job === null || isFinishedJob(job.status) || job.instanceId !== instanceId;
  if (releasedAt === null && !isOver) return null;
  const stopSeconds =
    job?.stopDurationSeconds === undefined ? DEFAULT_STOP_DURATION_SECONDS : (job.stopDurationSeconds ?? -1);
  return {
    requestedAt: releasedAt ?? job?.finishedAt ?? createdAt,
    stopMs: stopSeconds < 0 ? null : stopSeconds * 1000,
    isAborted: job?.terminationReason === 'aborted_by_user',
  };
}
