import { isFinishedJob } from '../wire/endings.js';
import type { JudgedReplica } from './judge-replica.js';
import type { GroupPlan } from './plan-group.js';
import type { ReplicaToSubmit, RunEffect } from './run-snapshot.js';
import type { Replica, ServiceFacts } from './service-snapshot.js';

export interface PlannedGroup {
  readonly group: string;
  readonly plan: GroupPlan;
}

export function numbersOf(judged: readonly JudgedReplica[], state: JudgedReplica['state']): ReadonlySet<number> {
  return new Set(judged.filter((each) => each.state === state).map(({ replica }) => replica.replicaNum));
}

/** @param free numbers of replicas that are no part of the service any more; null: none is */
export function submit(
  { replicas }: Pick<ServiceFacts, 'replicas'>,
  free: ReadonlySet<number> | null,
  plans: readonly PlannedGroup[],
): RunEffect[] {
  const known = replicas.map((replica) => ({
    ...replica,
    isFree: isFinishedJob(replica.status) && (free === null || free.has(replica.replicaNum)),
  }));
  const taken = new Set<number>(plans.flatMap(({ plan }) => plan.resubmit.map(({ replicaNum }) => replicaNum)));
  const wanted = plans.flatMap(({ group, plan }): ReplicaToSubmit[] => [
    ...plan.resubmit.map(({ replicaNum }) => ({ num: replicaNum, group })),
    ...Array.from({ length: plan.create }, () => ({ num: freeNumber(known, group, taken), group })),
  ]);
  return wanted.length === 0 ? [] : [{ do: 'submit-replicas', replicas: wanted }];
}

/** Numbers are used again, so that replica 0 of a service that was scaled down and up still is there. */
function freeNumber(
  replicas: readonly (Pick<Replica, 'replicaNum' | 'group'> & { readonly isFree: boolean })[],
  group: string,
  taken: Set<number>,
): number {
  const free = replicas.filter((each) => each.isFree && each.group === group && !taken.has(each.replicaNum));
  const num =
    free.length > 0
      ? Math.min(...free.map(({ replicaNum }) => replicaNum))
      : Math.max(-1, ...replicas.map(({ replicaNum }) => replicaNum), ...taken) + 1;
  taken.add(num);
  return num;
}
