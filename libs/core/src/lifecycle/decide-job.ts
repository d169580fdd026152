import type { JobStatus, JobTerminationReason } from '../wire/enums.js';
import { type Decision, go, type Instant, stay, undecided } from './decision.js';
import { decideOwedLog } from './decide-owed-log.js';
import { decideTerminatingJob } from './decide-terminating-job.js';
import type {
  ActiveJob,
  AgentJob,
  FailedStart,
  JobChanges,
  JobEffect,
  JobHost,
  JobSnapshot,
  ProvisioningJob,
  StopMode,
  SubmittedJob,
} from './job-snapshot.js';
import { LIMITS } from './limits.js';

export type JobDecision = Decision<JobStatus, JobEffect, JobChanges>;

export function decideJob(job: JobSnapshot, now: Instant): JobDecision {
  switch (job.status) {
    case 'submitted':
      return decideSubmitted(job, now);
    case 'provisioning':
      return decideProvisioning(job, now);
    case 'pulling':
    case 'running':
      return decideActive(job, now);
    case 'terminating':
      return decideTerminatingJob(job, now);
    case 'terminated':
    case 'aborted':
    case 'failed':
    case 'done':
      return decideOwedLog(job, now);
    default:
      return undecided(job);
  }
}

function decideSubmitted(job: SubmittedJob, now: Instant): JobDecision {
  const { host } = job;
  if (host === null) return waitForPlacement(job, now);
  switch (host.status) {
    case 'pending':
    case 'launching': {
      const deadline = job.statusChangedAt + LIMITS.launchMs;
      if (now < deadline) return stay('submitted', { dueAt: deadline });
      return end('waiting_instance_limit_exceeded', 'no machine could be created in time', 'kill');
    }
    case 'provisioning':
    case 'idle':
    case 'busy':
      return go('provisioning', { dueAt: now, because: 'instance assigned' });
    case 'terminating':
    case 'terminated':
      return lostBeforeStart(host, now);
    default:
      return undecided(host.status);
  }
}

function waitForPlacement(job: SubmittedJob, now: Instant): JobDecision {
  // A worker's time starts with its master; the run ends it when the master fails.
  if (job.waitsForMaster) return stay('submitted', { dueAt: null });
  const deadline = job.statusChangedAt + LIMITS.placementMs;
  if (now < deadline) return stay('submitted', { dueAt: deadline });
  return end('failed_to_start_due_to_no_capacity', 'no instance was assigned in time', 'kill');
}

function decideProvisioning(job: ProvisioningJob, now: Instant): JobDecision {
  const { host, agent } = job;
  if (host === null || isGone(host)) return lostBeforeStart(host, now);
  if (job.startError !== null) return end('terminated_by_server', job.startError, 'kill');
  if (job.volumeError !== null) return end('volume_error', job.volumeError, 'kill');
  if (agent?.phase === 'finished') return endByAgent(agent);
  if (agent?.phase === 'running') return becomeRunning(job, agent, now);
  const deadline = startDeadline(job, host);
  if (now >= deadline) {
    const waited = job.waitsFor ?? (isConnected(host) ? 'the agent did not start the job' : 'the agent did not answer');
    return end('waiting_runner_limit_exceeded', `gave up: ${waited}`, 'kill');
  }
  if (agent !== null) {
    if (job.runtime === 'container' && agent.phase !== 'waiting') {
      return go('pulling', { dueAt: now, because: 'the agent has taken the job' });
    }
    // A job whose uploads were interrupted is sent again: start is idempotent by id.
    if (agent.phase === 'waiting' && isConnected(host)) return sendStart(now, deadline);
    return stay('provisioning', { dueAt: deadline });
  }
  if (!isConnected(host) || job.waitsFor !== null) {
    const dueAt = job.needsRouter ? Math.min(deadline, now + LIMITS.routerLookMs) : deadline;
    return stay('provisioning', { dueAt });
  }
  return sendStart(now, deadline);
}

function startDeadline({ statusChangedAt, submittedAt, needsRouter }: ProvisioningJob, host: JobHost): Instant {
  const own = statusChangedAt + host.provisioningLimitMs + LIMITS.agentStartMs;
  return needsRouter ? Math.max(own, submittedAt + LIMITS.routerAddressMs) : own;
}

function sendStart(now: Instant, deadline: Instant): JobDecision {
  return stay('provisioning', {
    effects: [{ do: 'start' }],
    dueAt: Math.min(deadline, now + LIMITS.agentRetryMs),
  });
}

function decideActive(job: ActiveJob, now: Instant): JobDecision {
  const { host, agent } = job;
  if (agent?.phase === 'finished') return endByAgent(agent);
  if (host === null || isGone(host)) return lostWhileActive(host, 'the instance is gone');
  const unreachableSince = earliest(host.unreachableSince, job.disconnectedAt);
  const unreachableDeadline = unreachableSince === null ? null : unreachableSince + host.unreachableLimitMs;
  if (unreachableDeadline !== null && now >= unreachableDeadline) {
    return lostWhileActive(
      host,
      `the instance has been unreachable for ${Math.round(host.unreachableLimitMs / 1000)} seconds`,
    );
  }
  if (job.status === 'pulling') return decidePulling(job, now, unreachableDeadline);
  return decideRunning(job, now, unreachableDeadline);
}

function decidePulling(job: ActiveJob, now: Instant, unreachableDeadline: Instant | null): JobDecision {
  if (job.agent?.phase === 'running') return becomeRunning(job, job.agent, now);
  const deadline = job.statusChangedAt + LIMITS.pullMs;
  if (now >= deadline) return end('waiting_runner_limit_exceeded', 'the container did not start in time', 'kill');
  return stay('pulling', { dueAt: soonest(deadline, unreachableDeadline) });
}

function decideRunning(job: ActiveJob, now: Instant, unreachableDeadline: Instant | null): JobDecision {
  const idleSeconds = job.agent?.noConnectionsSeconds;
  if (job.inactivityLimitSeconds !== null && idleSeconds !== undefined && idleSeconds >= job.inactivityLimitSeconds) {
    return end('inactivity_duration_exceeded', `no connection for ${idleSeconds} seconds`, 'graceful');
  }
  if (job.underUtilised === true) {
    return end('terminated_due_to_utilization_policy', 'GPU utilization stayed below the minimum', 'graceful');
  }
  // The agent's own clock may be wrong; ours saw the start a little later.
  const startedAt = job.statusChangedAt;
  const maxDurationDeadline =
    job.maxDurationMs === null ? null : startedAt + job.maxDurationMs + LIMITS.maxDurationMarginMs;
  if (maxDurationDeadline !== null && now >= maxDurationDeadline) {
    return end('max_duration_exceeded', null, 'graceful');
  }
  const nextCheck = job.underUtilised === null ? null : now + LIMITS.utilisationCheckMs;
  return stay('running', { dueAt: soonest(nextCheck, soonest(maxDurationDeadline, unreachableDeadline)) });
}

function becomeRunning(job: ProvisioningJob | ActiveJob, agent: AgentJob, now: Instant): JobDecision {
  const changes = { runningAt: agent.runningAt ?? now };
  // Nothing will end it but what wakes it.
  const isLeftAlone = !job.isTimed && job.host !== null && isConnected(job.host);
  return go('running', { changes, dueAt: isLeftAlone ? null : now, because: 'commands started' });
}

function endByAgent(agent: AgentJob): JobDecision {
  const reason = agent.reason ?? (agent.exitStatus === 0 ? 'done_by_runner' : 'container_exited_with_error');
  return end(reason, agent.message ?? null, 'kill', agent.exitStatus);
}

function lostBeforeStart(host: JobHost | null, now: Instant): JobDecision {
  const why = host?.terminationMessage ?? 'the instance is gone';
  if (host?.failedStart) return decideFailedStart(host.failedStart, why, now);
  const reason =
    host?.foundNoCapacity === true ? 'failed_to_start_due_to_no_capacity' : 'waiting_instance_limit_exceeded';
  return end(reason, why, 'kill');
}

/** As a create call that fails: the next offer is tried. Its search ends the job when there is none left. */
function decideFailedStart(
  { machineName, failedMachines, kind, tie }: FailedStart,
  why: string,
  now: Instant,
): JobDecision {
  if (tie !== null) return end('waiting_instance_limit_exceeded', `${why} (${tie})`, 'kill');
  // To make a container is to start the job: what fails in so many places fails because of what is started.
  if (kind === 'containers' && failedMachines >= LIMITS.containersTried)
    return end('waiting_instance_limit_exceeded', `${failedMachines} containers failed to start: ${why}`, 'kill');
  return go('submitted', {
    changes: { nextOffer: true },
    dueAt: now + LIMITS.launchMs,
    because: `${machineName} failed to start: ${why}; the next offer is tried`,
  });
}

function lostWhileActive(host: JobHost | null, text: string): JobDecision {
  const reason = host?.isSpot === true ? 'interrupted_by_no_capacity' : 'instance_unreachable';
  return end(reason, host?.terminationMessage ?? text, 'kill');
}

function end(
  reason: JobTerminationReason,
  message: string | null,
  stopMode: StopMode,
  exitStatus?: number,
): JobDecision {
  return {
    status: 'terminating',
    changes: { reason, message, stopMode, ...(exitStatus === undefined ? {} : { exitStatus }) },
    effects: [],
    dueAt: 0,
    because: message === null ? reason : `${reason}: ${message}`,
  };
}

function isConnected(host: JobHost): boolean {
  return host.connectedSince !== null;
}

function isGone(host: JobHost): boolean {
  return host.status === 'terminating' || host.status === 'terminated';
}

function earliest(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

const soonest = earliest;
