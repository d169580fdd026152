import type { RunStatus } from '../wire/enums.js';
import { isFinishedJob } from '../wire/endings.js';
import { type Decision, go, type Instant, stay } from './decision.js';
import { DRAIN_CHECK_MS, isDrained } from './drain.js';
import { type JudgedReplica, judgeServiceReplicas } from './judge-replica.js';
import { LIMITS } from './limits.js';
import { numbersOf, type PlannedGroup, submit } from './number-replicas.js';
import { planGroup } from './plan-group.js';
import { decideRollout } from './rollout.js';
import type { ActiveRun, PendingRun, RunChanges, RunEffect } from './run-snapshot.js';
import { type ScaledGroups, scaleGroups } from './scale-groups.js';
import type { ServiceFacts } from './service-snapshot.js';

type RunDecision = Decision<RunStatus, RunEffect, RunChanges>;

export type ServiceVerdict =
  | { readonly do: 'end'; readonly reason: 'job_failed' | 'retry_limit_exceeded' | 'all_jobs_done' | 'gateway_error' }
  /** All replicas have failed and are submitted again together, later. */
  | { readonly do: 'wait-for-retry'; readonly replicaNums: readonly number[] }
  | { readonly do: 'decided'; readonly decision: RunDecision };

/** A service that is to run: how many replicas, of which specification, and which of them go. */
export function decideService(run: ActiveRun, service: ServiceFacts, now: Instant): ServiceVerdict {
  const { gatewayRefusal: refusal } = service;
  const refusedUntil = refusal === null ? null : refusal.since + (refusal.isLasting ? 0 : LIMITS.gatewayRefusalMs);
  if (refusedUntil !== null && now >= refusedUntil) return { do: 'end', reason: 'gateway_error' };
  const judged = judgeServiceReplicas(service, run, now);
  const routerEnd = endOfRouter(service, judged);
  if (routerEnd !== null) return { do: 'end', reason: routerEnd };
  const rollout = decideRollout(service, judged, now);
  if (rollout.rollBack !== null) {
    const effects: RunEffect[] = [{ do: 'roll-back', because: rollout.rollBack }];
    return { do: 'decided', decision: stay(run.status, { effects, dueAt: now }) };
  }
  const scaled = scaleGroups(service, now);
  const plans = planGroups(service, scaled, judged, now);
  const isEmpty = !judged.some(({ state }) => state === 'live' || state === 'draining' || state === 'leaving');
  if (isEmpty && plans.every(({ plan }) => plan.create === 0)) {
    const verdict = withoutReplicas(judged, scaled);
    if (verdict !== null) return verdict;
  }
  const effects = [
    ...scaleEffects(scaled),
    ...submit(service, numbersOf(judged, 'gone'), plans),
    ...bump(run, service),
    ...remove(service, judged, plans, now),
    ...(rollout.isComplete ? [{ do: 'end-rollout' } as const] : []),
  ];
  const dueAt =
    effects.length > 0 ? now : nextLook(judged, plans, [scaled.recheckAt, rollout.recheckAt, refusedUntil], now);
  const status = statusOf(judged) ?? run.status;
  const isStable = status === 'running' && run.status === 'running' && now >= run.statusChangedAt + LIMITS.stableRunMs;
  const changes: Partial<RunChanges> = isStable && run.resubmissionAttempt > 0 ? { resubmissionAttempt: 0 } : {};
  const wants = { effects, dueAt, changes };
  const decision: RunDecision =
    status === run.status ? stay(status, wants) : go(status, { ...wants, because: `replicas are ${status}` });
  return { do: 'decided', decision };
}

/** A service without replicas: by its traffic, or because all of them have failed. */
export function decidePendingService(run: PendingRun, service: ServiceFacts, now: Instant): RunDecision {
  const scaled = scaleGroups(service, now);
  if (scaled.desired === 0) {
    return stay('pending', { effects: scaleEffects(scaled), dueAt: scaled.recheckAt });
  }
  const missing = service.groups.map(({ name }) => ({
    group: name,
    plan: { resubmit: [], create: scaled.scale[name]?.desired ?? 0, remove: [], retryAt: null },
  }));
  const because =
    run.resumeAt !== null
      ? `retry ${run.resubmissionAttempt}`
      : run.nextTriggeredAt === null
        ? 'replicas are needed'
        : 'schedule';
  return go('submitted', {
    effects: [...scaleEffects(scaled), ...submit(service, null, missing)],
    changes: { resumeAt: null },
    dueAt: now,
    because,
  });
}

const OVER: readonly JudgedReplica['state'][] = ['retry', 'failed', 'limit-exceeded'];

function endOfRouter(
  { router, endsWithRouter }: ServiceFacts,
  judged: readonly JudgedReplica[],
): 'job_failed' | 'all_jobs_done' | null {
  const states = judged.filter(({ replica }) => endsWithRouter && replica.group === router).map(({ state }) => state);
  if (states.includes('done')) return 'all_jobs_done';
  return states.some((state) => OVER.includes(state)) ? 'job_failed' : null;
}

function planGroups(
  { groups, replicas }: ServiceFacts,
  { scale }: ScaledGroups,
  judged: readonly JudgedReplica[],
  now: Instant,
): PlannedGroup[] {
  // Groups that were taken out of the configuration have no replicas any more.
  const names = new Set([...groups.map(({ name }) => name), ...replicas.map(({ group }) => group)]);
  return [...names].map((name) => ({
    group: name,
    plan: planGroup(
      judged.filter(({ replica }) => replica.group === name),
      scale[name]?.desired ?? 0,
      now,
    ),
  }));
}

function withoutReplicas(judged: readonly JudgedReplica[], scaled: ScaledGroups): ServiceVerdict | null {
  const has = (state: JudgedReplica['state']): boolean => judged.some((each) => each.state === state);
  if (scaled.desired === 0) {
    const changes = { resumeAt: null, leaveFleet: true } as const;
    const wants = { effects: scaleEffects(scaled), changes, dueAt: scaled.recheckAt };
    return { do: 'decided', decision: go('pending', { ...wants, because: 'no replicas are needed' }) };
  }
  const retrying = judged.filter(({ state }) => state === 'retry').map(({ replica }) => replica.replicaNum);
  if (retrying.length > 0) return { do: 'wait-for-retry', replicaNums: retrying };
  if (has('failed')) return { do: 'end', reason: 'job_failed' };
  if (has('limit-exceeded')) return { do: 'end', reason: 'retry_limit_exceeded' };
  return has('done') ? { do: 'end', reason: 'all_jobs_done' } : null;
}

function scaleEffects({ hasChanged, scale, desired, because }: ScaledGroups): RunEffect[] {
  return hasChanged ? [{ do: 'scale', scale, desired, because }] : [];
}

function bump(run: ActiveRun, { replicas }: ServiceFacts): RunEffect[] {
  const jobIds = replicas
    .filter(
      ({ status, isUpToDate, deploymentNum }) =>
        !isFinishedJob(status) && isUpToDate && deploymentNum < run.deploymentNum,
    )
    .map(({ id }) => id);
  return jobIds.length === 0 ? [] : [{ do: 'bump-deployment', jobIds, deploymentNum: run.deploymentNum }];
}

function remove(
  service: ServiceFacts,
  judged: readonly JudgedReplica[],
  plans: readonly PlannedGroup[],
  now: Instant,
): RunEffect[] {
  const surplus = plans.flatMap(({ plan }) => plan.remove);
  const drain = surplus.filter(({ status }) => status === 'running').map(({ id }) => id);
  const drained = judged.filter(({ replica, state }) => state === 'draining' && isDrained(replica, service, now));
  const jobIds = [
    ...surplus.filter(({ status }) => status !== 'running'),
    ...drained.map(({ replica }) => replica),
  ].map(({ id }) => id);
  return [
    ...(drain.length === 0 ? [] : [{ do: 'drain', jobIds: drain } as const]),
    ...(jobIds.length === 0
      ? []
      : [{ do: 'terminate-jobs', jobIds, reason: 'scaled_down', mode: 'graceful', message: null } as const]),
  ];
}

function nextLook(
  judged: readonly JudgedReplica[],
  plans: readonly PlannedGroup[],
  rechecks: readonly (Instant | null)[],
  now: Instant,
): Instant {
  const times = [...plans.map(({ plan }) => plan.retryAt), ...rechecks].filter((at) => at !== null);
  const isDraining = judged.some(({ state }) => state === 'draining');
  return Math.min(now + (isDraining ? DRAIN_CHECK_MS : LIMITS.runCheckMs), ...times);
}

/** Of its most advanced replica; null: all that there were have gone, and others come. */
function statusOf(judged: readonly JudgedReplica[]): ActiveRun['status'] | null {
  const present = judged.filter(({ state }) => state === 'live' || state === 'draining');
  const statuses = present.map(({ replica }) => replica.status);
  if (statuses.length === 0) return null;
  if (statuses.includes('running')) return 'running';
  return statuses.some((status) => status === 'provisioning' || status === 'pulling') ? 'provisioning' : 'submitted';
}
