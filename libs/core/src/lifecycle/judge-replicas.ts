import type { Instant } from './decision.js';
import { retryVerdict } from './retry-verdict.js';
import type { ActiveRun, RunJob } from './run-snapshot.js';

export type Contribution = 'running' | 'provisioning' | 'submitted' | 'done';

export interface ReplicaVerdicts {
  readonly contributions: ReadonlySet<Contribution>;
  /** Set when the run cannot go on; one replica that may not be retried fails it. */
  readonly failure: 'job_failed' | 'retry_limit_exceeded' | null;
  /** Replicas to start again. */
  readonly retrying: readonly number[];
}

type JobVerdict = Contribution | 'none' | 'retry' | 'not-retryable' | 'limit-exceeded';

export function judgeReplicas(run: ActiveRun, now: Instant): ReplicaVerdicts {
  const byReplica = byReplicaNum(run.jobs);
  const contributions = new Set<Contribution>();
  const retrying: number[] = [];
  let failure: ReplicaVerdicts['failure'] = null;
  for (const [replicaNum, jobs] of byReplica) {
    const verdicts = jobs.map((job) => judgeJob(job, run.startedAt, now));
    if (verdicts.includes('not-retryable')) failure = 'job_failed';
    else if (verdicts.includes('limit-exceeded')) failure ??= 'retry_limit_exceeded';
    else if (verdicts.includes('retry')) retrying.push(replicaNum);
    else {
      const own = verdicts.filter(isContribution);
      own.forEach((contribution) => contributions.add(contribution));
    }
  }
  return { contributions, failure, retrying };
}

function byReplicaNum(jobs: readonly RunJob[]): Map<number, RunJob[]> {
  const groups = new Map<number, RunJob[]>();
  for (const job of jobs) groups.set(job.replicaNum, [...(groups.get(job.replicaNum) ?? []), job]);
  return groups;
}

function judgeJob(job: RunJob, runStartedAt: Instant, now: Instant): JobVerdict {
  switch (job.status) {
    case 'done':
      return 'done';
    case 'running':
      return 'running';
    case 'provisioning':
    case 'pulling':
      return 'provisioning';
    case 'submitted':
      return 'submitted';
    case 'terminating':
    case 'terminated':
    case 'aborted':
    case 'failed':
      if (job.reason === 'scaled_down') return 'none';
      if (job.reason === 'done_by_runner') return 'done';
      return retryVerdict(job, runStartedAt, now);
  }
}

function isContribution(verdict: JobVerdict): verdict is Contribution {
  return verdict === 'running' || verdict === 'provisioning' || verdict === 'submitted' || verdict === 'done';
}
