import { mountProblem, runMounts, type Wire } from '@dstack/core';
import { ClientError } from '../http/api-errors.js';
import type { ReadTx } from '../persistence/transaction.js';
import { volumesFor } from '../volumes/volume-facts.js';

/** @throws {ClientError} when jobs of the run could never mount the volumes they name */
export async function requireMounts(tx: ReadTx, projectId: string, { configuration }: Wire.RunSpec): Promise<void> {
  const jobs = runMounts(configuration);
  if (jobs.length === 0) return;
  const volumes = await volumesFor(tx, projectId, [{ volumes: configuration.volumes ?? [] }]);
  const problem = mountProblem(jobs, volumes);
  if (problem === null) return;
  throw new ClientError(problem, 'error', [{ path: ['configuration', 'volumes'], message: problem }]);
}
