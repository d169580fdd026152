import { replicaGroups } from '../jobs/job-groups.js';
import { buildJobSpecs } from '../jobs/job-specs.js';
import type { ImageDefaults } from '../jobs/image.js';
import { isFinishedJob } from '../wire/endings.js';
import type { JobStatus } from '../wire/enums.js';
import type * as Wire from '../wire/generated/api.js';
import { isSame } from './diff.js';

export interface DeployedRun {
  readonly name: string;
  readonly spec: Wire.RunSpec;
  readonly deploymentNum: number;
}

export interface DeployedReplica {
  readonly status: JobStatus;
  readonly deploymentNum: number;
  readonly replicaGroup: string;
  readonly replicaNum: number;
  readonly spec: Wire.JobSpec;
}

/** Whether the job of a replica would be no other one if it were submitted now. */
export function isUpToDate(
  { name, spec, deploymentNum }: DeployedRun,
  job: DeployedReplica,
  images: ImageDefaults,
): boolean {
  if (job.deploymentNum >= deploymentNum || isFinishedJob(job.status)) return job.deploymentNum >= deploymentNum;
  const { configuration } = spec;
  if (configuration.type !== 'service') return true;
  if (!replicaGroups(configuration).some((group) => group.name === job.replicaGroup)) return false;
  const options = { replicaNum: job.replicaNum, images, replicaGroup: job.replicaGroup };
  const [asked] = buildJobSpecs({ ...spec, run_name: name }, options);
  return isSame(asked, job.spec);
}
