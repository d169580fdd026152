import type { RunStatus, RunTerminationReason } from '../wire/enums.js';
import { isFinishedJob, RUN_ENDINGS } from '../wire/endings.js';
import { type Decision, go, type Instant, stay, undecided } from './decision.js';
import { decidePendingService, decideService } from './decide-service.js';
import { judgeReplicas, type ReplicaVerdicts } from './judge-replicas.js';
import { LIMITS } from './limits.js';
import { resubmissionDelayMs } from '../runs/retry.js';
import type {
  ActiveRun,
  PendingRun,
  RunChanges,
  RunEffect,
  RunJob,
  RunSnapshot,
  TerminatingRun,
} from './run-snapshot.js';

export type RunDecision = Decision<RunStatus, RunEffect, RunChanges>;

export function decideRun(run: RunSnapshot, now: Instant): RunDecision {
  switch (run.status) {
    case 'pending':
      return decidePending(run, now);
    case 'submitted':
    case 'provisioning':
    case 'running':
      return decideActive(run, now);
    case 'terminating':
      return decideTerminating(run, now);
    case 'terminated':
    case 'failed':
    case 'done':
      return stay(run.status, {});
    default:
      return undecided(run);
  }
}

function decidePending(run: PendingRun, now: Instant): RunDecision {
  // The old submissions must have let go of their machines before new ones ask for some.
  const unfinished = run.jobs.filter((job) => !isFinishedJob(job.status));
  const dueAt = run.resumeAt ?? run.nextTriggeredAt;
  if (dueAt === null && run.service === null) return stay('pending', {});
  if (dueAt !== null && now < dueAt) return stay('pending', { dueAt });
  if (unfinished.length > 0) return stay('pending', { dueAt: now + LIMITS.runCheckMs });
  // Who scales to zero is refused as well; what may pass is left until there are replicas.
  if (run.service?.gatewayRefusal?.isLasting === true) return endRun(run, 'gateway_error', now);
  if (run.service !== null) return decidePendingService(run, run.service, now);
  const replicaNums = run.jobs.length === 0 ? [0] : distinct(run.jobs.map((job) => job.replicaNum));
  return go('submitted', {
    effects: [submitReplicas(replicaNums)],
    changes: { resumeAt: null },
    dueAt: now,
    because: run.resumeAt === null ? 'schedule' : `retry ${run.resubmissionAttempt}`,
  });
}

function decideActive(run: ActiveRun, now: Instant): RunDecision {
  if (run.service === null) return decideJobs(run, now);
  const verdict = decideService(run, run.service, now);
  switch (verdict.do) {
    case 'decided':
      return verdict.decision;
    case 'end':
      return endRun(run, verdict.reason, now);
    case 'wait-for-retry':
      return backToPending(run, verdict.replicaNums, now);
  }
}

function decideJobs(run: ActiveRun, now: Instant): RunDecision {
  const verdicts = judgeReplicas(run, now);
  const { contributions } = verdicts;
  if (verdicts.failure !== null) return endRun(run, verdicts.failure, now);
  const isMasterDone = run.jobs.some((job) => job.jobNum === 0 && isDone(job));
  if (run.stopCriteria === 'master-done' && isMasterDone) return endRun(run, 'all_jobs_done', now);
  for (const status of ['running', 'provisioning', 'submitted'] as const) {
    if (contributions.has(status)) return carryOn(run, status, verdicts, now);
  }
  if (contributions.has('done') && verdicts.retrying.length === 0) return endRun(run, 'all_jobs_done', now);
  return backToPending(run, verdicts.retrying, now);
}

function carryOn(
  run: ActiveRun,
  status: 'running' | 'provisioning' | 'submitted',
  verdicts: ReplicaVerdicts,
  now: Instant,
): RunDecision {
  const effects = [...resubmitReplicas(run, verdicts), ...bump(run)];
  // Not as soon as it runs: what fails a moment after each start would be started again every 15 seconds.
  const isStable = status === 'running' && run.status === 'running' && now >= run.statusChangedAt + LIMITS.stableRunMs;
  const changes: Partial<RunChanges> = isStable && run.resubmissionAttempt > 0 ? { resubmissionAttempt: 0 } : {};
  const wants = { effects, dueAt: effects.length > 0 ? now : now + LIMITS.runCheckMs, changes };
  return status === run.status ? stay(status, wants) : go(status, { ...wants, because: `jobs are ${status}` });
}

/** A failed replica starts again only when all of its jobs have ended; the others go on. */
function resubmitReplicas(run: ActiveRun, verdicts: ReplicaVerdicts): RunEffect[] {
  return verdicts.retrying.flatMap((replicaNum): RunEffect[] => {
    const siblings = unfinishedJobs(run.jobs.filter((job) => job.replicaNum === replicaNum));
    if (siblings.length === 0) return [submitReplicas([replicaNum])];
    const jobIds = siblings.filter((job) => job.status !== 'terminating').map((job) => job.id);
    if (jobIds.length === 0) return [];
    return [
      {
        do: 'terminate-jobs',
        jobIds,
        reason: 'terminated_by_server',
        mode: 'graceful',
        message: 'the replica is resubmitted',
      },
    ];
  });
}

function bump(run: ActiveRun): RunEffect[] {
  const jobIds = unfinishedJobs(run.jobs)
    .filter((job) => job.deploymentNum < run.deploymentNum)
    .map((job) => job.id);
  return jobIds.length === 0 ? [] : [{ do: 'bump-deployment', jobIds, deploymentNum: run.deploymentNum }];
}

function backToPending(run: ActiveRun, retrying: readonly number[], now: Instant): RunDecision {
  const attempt = run.resubmissionAttempt + 1;
  const newestEnd = Math.max(...run.jobs.map((job) => job.finishedAt ?? now), 0);
  const resumeAt = (newestEnd === 0 ? now : newestEnd) + resubmissionDelayMs(attempt);
  const jobIds = unfinishedJobs(run.jobs)
    .filter((job) => retrying.includes(job.replicaNum) && job.status !== 'terminating')
    .map((job) => job.id);
  return go('pending', {
    effects:
      jobIds.length === 0
        ? []
        : [
            {
              do: 'terminate-jobs',
              jobIds,
              reason: 'terminated_by_server',
              mode: 'graceful',
              message: 'to be resubmitted',
            },
          ],
    changes: { resubmissionAttempt: attempt, resumeAt, leaveFleet: true },
    dueAt: Math.max(now, resumeAt),
    because: `retry ${attempt} in ${Math.round(resubmissionDelayMs(attempt) / 1000)}s`,
  });
}

function endRun(run: ActiveRun | PendingRun, reason: RunTerminationReason, now: Instant): RunDecision {
  return go('terminating', {
    changes: { reason },
    effects: terminateJobs(run.jobs, reason),
    dueAt: now,
    because: reason,
  });
}

function decideTerminating(run: TerminatingRun, now: Instant): RunDecision {
  if (unfinishedJobs(run.jobs).length > 0) {
    return stay('terminating', { effects: terminateJobs(run.jobs, run.reason), dueAt: now + LIMITS.runCheckMs });
  }
  const wasStopped = run.reason === 'stopped_by_user' || run.reason === 'aborted_by_user';
  if (run.nextFireAt !== null && !wasStopped) {
    return go('pending', {
      changes: { nextTriggeredAt: run.nextFireAt, resubmissionAttempt: 0, resumeAt: null, leaveFleet: true },
      dueAt: run.nextFireAt,
      because: `${run.reason}; next run by schedule`,
    });
  }
  return go(RUN_ENDINGS[run.reason].status, { changes: { finishedAt: now }, because: run.reason });
}

function terminateJobs(jobs: readonly RunJob[], runReason: RunTerminationReason): RunEffect[] {
  const reason = RUN_ENDINGS[runReason].jobReason;
  const mode = runReason === 'aborted_by_user' ? 'kill' : 'graceful';
  // An abort after a stop takes the grace period away; nothing ever gives it back.
  const isToldEnough = (job: RunJob): boolean =>
    job.status === 'terminating' && (mode === 'graceful' || job.stopMode === 'kill');
  const jobIds = unfinishedJobs(jobs)
    .filter((job) => !isToldEnough(job))
    .map((job) => job.id);
  return jobIds.length === 0 ? [] : [{ do: 'terminate-jobs', jobIds, reason, mode, message: null }];
}

function submitReplicas(nums: readonly number[]): RunEffect {
  return { do: 'submit-replicas', replicas: nums.map((num) => ({ num, group: null })) };
}

function unfinishedJobs(jobs: readonly RunJob[]): RunJob[] {
  return jobs.filter((job) => !isFinishedJob(job.status));
}

function isDone(job: RunJob): boolean {
  return job.status === 'done' || (job.status === 'terminating' && job.reason === 'done_by_runner');
}

function distinct(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}
