import { ResourceNotExistsError } from '../http/api-errors.js';
import type { ReadTx } from '../persistence/transaction.js';
import type { LogKey } from './log-store.js';

export interface JobSelector {
  readonly runName: string;
  /** The submission's id; else the latest submission of the replica's job. */
  readonly submissionId?: string;
  readonly replicaNum?: number;
  readonly jobNum?: number;
  readonly diagnose: boolean;
}

export interface FoundJob {
  readonly key: LogKey;
  readonly finishedAt: number | null;
}

interface JobRow {
  id: string;
  finished_at: number | null;
}

/** @throws {ResourceNotExistsError} when the project has no such run, or the run no such job. */
export async function findJob(
  tx: ReadTx,
  project: { id: string; name: string },
  selector: JobSelector,
): Promise<FoundJob> {
  const [run] = await tx.query<{ id: string }>(
    'SELECT id FROM runs WHERE project_id = ? AND name = ? AND deleted = ?',
    [project.id, selector.runName, false],
  );
  if (!run) throw new ResourceNotExistsError(`Run ${selector.runName} not found in project ${project.name}`);
  const [job] =
    selector.submissionId === undefined
      ? await tx.query<JobRow>(
          `SELECT id, finished_at FROM jobs WHERE run_id = ? AND replica_num = ? AND job_num = ? ORDER BY submission_num DESC LIMIT 1`,
          [run.id, selector.replicaNum ?? 0, selector.jobNum ?? 0],
        )
      : await tx.query<JobRow>('SELECT id, finished_at FROM jobs WHERE run_id = ? AND id = ?', [
          run.id,
          selector.submissionId,
        ]);
  if (!job) {
    const which = selector.submissionId ?? `replica ${selector.replicaNum ?? 0}, job ${selector.jobNum ?? 0}`;
    throw new ResourceNotExistsError(`Run ${selector.runName} has no job ${which}`);
  }
  return {
    key: {
      projectName: project.name,
      runName: selector.runName,
      jobId: job.id,
      stream: selector.diagnose ? 'runner' : 'job',
    },
    finishedAt: job.finished_at,
  };
}
