import type { JobStatus } from '../wire/enums.js';
import { JOB_ENDINGS } from '../wire/endings.js';
import { type Decision, go, type Instant, stay } from './decision.js';
import { isBeyondHope, isLogWhole } from './decide-owed-log.js';
import type { AgentJob, JobChanges, JobEffect, JobHost, TerminatingJob } from './job-snapshot.js';
import { LIMITS } from './limits.js';

type JobDecision = Decision<JobStatus, JobEffect, JobChanges>;

/**
 * A job is final when its commands have ended *and* its log is durable up to the lengths the agent reported. Both waits have deadlines:
 * a host that never answers, or a server that has no room for logs, delays the end and does not prevent it. What is left of a log then
 * stays with the host (`decideOwedLog`).
 */
export function decideTerminatingJob(job: TerminatingJob, now: Instant): JobDecision {
  const { host, agent } = job;
  if (host === null || isBeyondHope(host)) return finish(job, now, [], ...lostLogs(job));
  if (agent?.phase === 'finished') return drain(job, host, agent, now);
  if (agent === null) return finish(job, now, host.connectedSince !== null ? [{ do: 'remove' }] : [], null);
  return stopCommands(job, host, now);
}

function drain(job: TerminatingJob, host: JobHost, agent: AgentJob, now: Instant): JobDecision {
  if (isLogWhole(agent.logEnd ?? { job: 0, runner: 0 }, job.logOffsets))
    return finish(job, now, [{ do: 'remove' }], null);
  const deadline = drainDeadline(Math.max(agent.finishedAt ?? 0, job.statusChangedAt), host, now);
  if (now < deadline) return stay('terminating', { dueAt: deadline });
  return finish(job, now, [], null, 'the rest of its log is still to be taken from its host');
}

function stopCommands(job: TerminatingJob, host: JobHost, now: Instant): JobDecision {
  const killAt = whenToKill(job);
  const isSilent = endedForSilence(job, host);
  const giveUpAt = deadlineOf(killAt ?? Infinity, host, isSilent ? 0 : LIMITS.killConfirmMs, now);
  if (now >= giveUpAt) {
    const effects: JobEffect[] = host.connectedSince === null ? [] : [{ do: 'remove' }];
    return finish(job, now, effects, isSilent ? null : 'the agent did not confirm the end of the job');
  }
  if (host.connectedSince === null) return stay('terminating', { dueAt: finite(giveUpAt) });
  if (killAt !== null && now >= killAt) {
    if (job.stop.sent === 'kill') return stay('terminating', { dueAt: finite(giveUpAt) });
    return stay('terminating', {
      effects: [{ do: 'stop', mode: 'kill', graceMs: null, reason: job.reason }],
      dueAt: now + LIMITS.agentRetryMs,
    });
  }
  if (job.stop.sent !== null) return stay('terminating', { dueAt: killAt });
  return stay('terminating', {
    effects: [{ do: 'stop', mode: 'graceful', graceMs: job.stop.graceMs, reason: job.reason }],
    dueAt: Math.min(killAt ?? Infinity, now + LIMITS.agentRetryMs),
  });
}

/** Who was given up for the silence of its host waits for no word from there, and says no other reason. */
function endedForSilence({ reason }: TerminatingJob, host: JobHost): boolean {
  const isGivenUp = reason === 'instance_unreachable' || reason === 'interrupted_by_no_capacity';
  return isGivenUp && host.unreachableSince !== null;
}

function whenToKill({ stop }: TerminatingJob): Instant | null {
  if (stop.mode === 'kill') return stop.requestedAt;
  return stop.graceMs === null ? null : stop.requestedAt + stop.graceMs + LIMITS.killMarginMs;
}

/**
 * A wait counts only while its end could be seen: from the moment the host is connected, or from the moment it is known to be lost.
 * A server that was down must not find all its deadlines passed.
 */
function deadlineOf(since: Instant, host: JobHost, limitMs: number, now: Instant): Instant {
  if (host.connectedSince !== null) return Math.max(since, host.connectedSince) + limitMs;
  if (host.unreachableSince !== null) return host.unreachableSince + Math.max(limitMs, host.unreachableLimitMs);
  return now + host.unreachableLimitMs;
}

/** Each new connection lengthens the wait; where they break all the time, its machine would be paid for, for as long as that goes on. */
function drainDeadline(since: Instant, host: JobHost, now: Instant): Instant {
  const deadline = deadlineOf(since, host, LIMITS.logDrainMs, now);
  if (host.connectedSince === null) return deadline;
  return Math.min(deadline, Math.max(since + LIMITS.logDrainMostMs, host.connectedSince + LIMITS.logDrainLateMs));
}

function finite(at: Instant): Instant | null {
  return Number.isFinite(at) ? at : null;
}

/**
 * Its machine is somebody else's only when no volume of its own is at it any more.
 * @param owed what is said of the end of its log, which is not here; null: nothing is missing
 */
function finish(
  job: TerminatingJob,
  now: Instant,
  effects: readonly JobEffect[],
  message: string | null,
  owed: string | null = null,
): JobDecision {
  // First what holds the mounts goes, then the disk.
  if (job.volumes === 'held') return stay('terminating', { effects, changes: { releaseVolumes: true } });
  if (job.volumes === 'leaving') return stay('terminating', {});
  const { status } = JOB_ENDINGS[job.reason];
  const exitStatus = job.agent?.exitStatus;
  return go(status, {
    changes: {
      release: true,
      finishedAt: now,
      ...(exitStatus === undefined ? {} : { exitStatus }),
      ...(message === null ? {} : { message }),
      ...(owed === null ? {} : { owesLog: true }),
    },
    // The amount of a log that is lost with its host is said by the next look.
    ...(owed === null ? {} : { dueAt: now }),
    effects,
    because: [job.reason, message ?? owed].filter((text) => text !== null).join(': '),
  });
}

function lostLogs({ agent, logOffsets }: TerminatingJob): readonly [message: string | null, owed?: string] {
  if (agent?.logEnd === undefined || isLogWhole(agent.logEnd, logOffsets)) return [null];
  const lost = 'the end of the log could not be fetched from the host';
  return [logOffsets.job >= agent.logEnd.job ? null : lost, lost];
}
