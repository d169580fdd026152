import { isFinishedJob } from '../wire/endings.js';
import { resubmissionDelayMs } from '../runs/retry.js';
import type { Instant } from './decision.js';
import { retryVerdict } from './retry-verdict.js';
import type { Replica, ServiceFacts } from './service-snapshot.js';

export type ReplicaState =
  /** Works, or will. */
  | 'live'
  /** Ends as soon as it has answered what it got. */
  | 'draining'
  /** Is being ended because it is not needed. */
  | 'leaving'
  /** Has failed and is submitted again. */
  | 'retry'
  /** Has failed for good; its place stays empty until the next update. */
  | 'failed'
  | 'limit-exceeded'
  /** Its commands have ended well. */
  | 'done'
  /** Is no part of the service any more. */
  | 'gone';

export interface JudgedReplica {
  readonly replica: Replica;
  readonly state: ReplicaState;
}

interface RunFacts {
  readonly startedAt: Instant;
  readonly deploymentNum: number;
}

export function judgeServiceReplicas(service: ServiceFacts, run: RunFacts, now: Instant): JudgedReplica[] {
  return service.replicas.map((replica) => ({ replica, state: stateOf(replica, service, run, now) }));
}

function stateOf(replica: Replica, { rollout }: ServiceFacts, run: RunFacts, now: Instant): ReplicaState {
  const { status, reason } = replica;
  const isOver = isFinishedJob(status);
  if (!isOver && status !== 'terminating') return replica.drainingSince === null ? 'live' : 'draining';
  if (replica.drainingSince !== null || reason === 'scaled_down') return isOver ? 'gone' : 'leaving';
  if (status === 'done' || reason === 'done_by_runner') return 'done';
  // What an earlier specification could not do the new one may.
  if (isOver && replica.deploymentNum < run.deploymentNum) return 'gone';
  // The old specification still serves: the new one gets its tries, whatever the policy of retries says.
  if (rollout !== null) return 'retry';
  const verdict = retryVerdict(replica, run.startedAt, now);
  return verdict === 'not-retryable' ? 'failed' : verdict;
}

/** When a failed replica is submitted again: the first time at once, then later and later. */
export function retryAt({ finishedAt, failuresInARow }: Replica, now: Instant): Instant {
  return (finishedAt ?? now) + (failuresInARow <= 1 ? 0 : resubmissionDelayMs(failuresInARow - 1));
}

/** Most important first: the last ones go when there are too many. */
export function byImportance(a: Replica, b: Replica): number {
  return importance(b) - importance(a) || a.replicaNum - b.replicaNum;
}

function importance({ isReady, status }: Replica): number {
  if (isReady) return 3;
  if (status === 'running') return 2;
  return status === 'submitted' ? 0 : 1;
}
