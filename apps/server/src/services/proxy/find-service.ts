import { routerGroup, type Wire } from '@dstack/core';
import { findJobs } from '../../jobs/job-record.js';
import type { ReadTx } from '../../persistence/transaction.js';
import { findRuns } from '../../runs/run-record.js';
import { servicePortOf } from '../service-port.js';

/** A service as its requests see it. */
export interface FoundService {
  readonly runId: string;
  readonly projectName: string;
  readonly runName: string;
  /** Only members of its project may ask. */
  readonly auth: boolean;
  /** The replica sees paths without the service's own. */
  readonly stripPrefix: boolean;
  /** Its requests go to a router, which answers at some paths only. */
  readonly hasRouter: boolean;
  readonly replicas: readonly FoundReplica[];
}

/** One that is ready. */
export interface FoundReplica {
  readonly jobId: string;
  readonly instanceId: string;
  readonly port: number;
  readonly group: string;
}

const OVER: readonly Wire.RunStatus[] = ['terminating', 'terminated', 'failed', 'done'];

/** Null: the project has no such service that this server answers for. */
export async function findService(tx: ReadTx, projectName: string, runName: string): Promise<FoundService | null> {
  const [run] = await findRuns(
    tx,
    'name = ? AND deleted = ? AND project_id IN (SELECT id FROM projects WHERE name = ? AND deleted = ?)',
    [runName, false, projectName, false],
  );
  // What a gateway serves is not served here.
  if (run === undefined || OVER.includes(run.status) || run.gatewayId !== null) return null;
  const { configuration } = run.spec;
  if (configuration.type !== 'service') return null;
  const router = routerGroup(configuration)?.name ?? null;
  const ready = await findJobs(tx, "run_id = ? AND registered = ? AND status = 'running'", [run.id, true]);
  const jobs = ready.filter((job) => router === null || job.replicaGroup === router);
  return {
    runId: run.id,
    projectName,
    runName,
    auth: configuration.auth ?? true,
    stripPrefix: configuration.strip_prefix ?? true,
    hasRouter: router !== null,
    replicas: jobs.flatMap((job) => {
      const port = servicePortOf(job);
      if (job.instanceId === null || port === null) return [];
      return [{ jobId: job.id, instanceId: job.instanceId, port, group: job.replicaGroup }];
    }),
  };
}
