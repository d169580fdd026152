import type { Uploads } from '../files/uploads.js';
import type { LogStore } from '../logs/log-store.js';
import type { Database } from '../persistence/database.js';

export interface RetentionTools {
  readonly db: Database;
  readonly logs: LogStore;
  readonly uploads: Pick<Uploads, 'delete'>;
  /** Unix ms. */
  readonly now: number;
}

/** Small enough that other writers hardly wait. */
export const BATCH = 100;

/** Where the logs of a job are. */
export interface LoggedJob {
  readonly id: string;
  readonly run_name: string;
  readonly project_name: string;
}

export const LOGGED_JOB = `j.id, r.name AS run_name, coalesce(p.original_name, p.name) AS project_name
  FROM jobs j JOIN runs r ON r.id = j.run_id JOIN projects p ON p.id = j.project_id`;

export async function deleteLogs(logs: LogStore, jobs: readonly LoggedJob[]): Promise<void> {
  for (const { id, run_name: run, project_name: project } of jobs) await logs.deleteRun(project, run, [id]);
}
