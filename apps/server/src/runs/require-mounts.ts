import { mountProblems, placeOfMountProblem, runMounts, type Wire } from '@dstack/core';
import { ClientError } from '../http/api-errors.js';
import type { ReadTx } from '../persistence/transaction.js';
import { volumesFor } from '../volumes/volume-facts.js';

/** @throws {ClientError} when jobs of the run could never mount the volumes they name */
export async function requireMounts(tx: ReadTx, projectId: string, { configuration }: Wire.RunSpec): Promise<void> {
  const jobs = runMounts(configuration);
  if (jobs.length === 0) return;
  const mounts = configuration.volumes ?? [];
  const volumes = await volumesFor(tx, projectId, [{ volumes: mounts }]);
  const issues = mountProblems(jobs, volumes).map((problem) => ({
    path: ['configuration', 'volumes', ...placeOfMountProblem(mounts, problem).map(String)],
    message: problem.message,
  }));
  if (issues.length > 0) throw new ClientError(issues.map(({ message }) => message).join('\n'), 'error', issues);
}
