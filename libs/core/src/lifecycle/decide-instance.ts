import type { InternalInstanceStatus } from '../wire/internal-values.js';
import { type Decision, go, type Instant, stay, undecided } from './decision.js';
import type {
  InstanceChanges,
  InstanceEffect,
  InstanceSnapshot,
  LiveInstance,
  OpenAttempt,
  StartingInstance,
  TerminatingInstance,
  UnlaunchedInstance,
} from './instance-snapshot.js';
import { decidePendingHost } from './decide-pending-host.js';
import { giveUp } from './give-up.js';
import { doublingDelayMs, LIMITS } from './limits.js';

const MINUTE_MS = 60_000;

export type InstanceDecision = Decision<InternalInstanceStatus, InstanceEffect, InstanceChanges>;

/** The attempt is committed one pass before a `launch` effect exists: a crash leaves a name to look for, never a lost machine. */
export function decideInstance(instance: InstanceSnapshot, now: Instant): InstanceDecision {
  switch (instance.status) {
    case 'pending':
      return instance.given ? decidePendingHost(instance, now) : decideUnlaunched(instance, now);
    case 'launching':
      return decideUnlaunched(instance, now);
    case 'provisioning':
      return decideStarting(instance, now);
    case 'idle':
    case 'busy':
      return decideLive(instance, now);
    case 'terminating':
      return decideTerminating(instance, now);
    case 'terminated':
      return stay('terminated', {});
    default:
      return undecided(instance);
  }
}

function decideUnlaunched(instance: UnlaunchedInstance, now: Instant): InstanceDecision {
  const { openAttempt, status } = instance;
  if (instance.machine !== 'none') {
    // One that is ready already is being connected to, and that tells.
    const dueAt = instance.machine === 'ready' ? now + LIMITS.pollMaxMs : now;
    return go('provisioning', { changes: { startedAt: now }, dueAt, because: 'machine created' });
  }
  if (openAttempt !== null) return pursue(openAttempt, instance, now);
  if (instance.unwanted !== null) return giveUp(instance.unwanted, null, now);
  if (instance.noOffersLeft !== null) return giveUp('no_offers', instance.noOffersLeft, now);
  if (instance.attemptsMade >= instance.maxAttempts) {
    return giveUp('no_offers', `all ${instance.attemptsMade} offers tried failed`, now);
  }
  if (now >= instance.createdAt + LIMITS.launchMs) return giveUp('provisioning_timeout', 'no machine in time', now);
  return stay(status, { effects: [{ do: 'plan' }], dueAt: now + LIMITS.attemptRetryMs });
}

function pursue(open: OpenAttempt, instance: UnlaunchedInstance, now: Instant): InstanceDecision {
  // First its own commit, then the call: `launching` is what a restarted server finds.
  if (instance.status === 'pending') {
    return go('launching', { dueAt: now, because: `attempt ${open.attempt} of at most ${instance.maxAttempts}` });
  }
  const wasAsked = open.unknownOutcomes > 0;
  // Also when nobody wants it any more: a machine the cloud does not list yet could not be terminated by its name.
  if (wasAsked && open.idempotency === 'lookup') {
    return stay('launching', { effects: [{ do: 'settle' }], dueAt: now + LIMITS.attemptRetryMs });
  }
  if (instance.unwanted !== null) {
    return go('terminating', {
      changes: { reason: instance.unwanted, message: null },
      dueAt: now,
      because: `${instance.unwanted} while launching`,
    });
  }
  if (now >= open.createdAt + LIMITS.attemptMs && wasAsked) {
    return go('terminating', {
      changes: { reason: 'error', message: 'the cloud never answered whether the machine was created' },
      dueAt: now,
      because: 'outcome of the create call unknown',
    });
  }
  return stay('launching', { effects: [{ do: 'launch' }], dueAt: now + LIMITS.attemptRetryMs });
}

function decideStarting(instance: StartingInstance, now: Instant): InstanceDecision {
  if (isSpent(instance)) return giveUp(instance.unwanted ?? 'job_finished', null, now);
  if (instance.connectedSince !== null) {
    const because = whatIsUp(instance);
    return instance.busyBlocks > 0
      ? go('busy', {
          dueAt: instance.tenure === 'given' ? now : null,
          changes: { idleSince: null },
          because,
        })
      : go('idle', { dueAt: now, changes: { idleSince: now }, because });
  }
  if (instance.unwanted !== null) return giveUp(instance.unwanted, null, now);
  if (instance.machineState === 'failed')
    return giveUp('error', instance.machineMessage ?? 'the machine failed to start', now);
  if (instance.machineState === 'gone') return giveUp('error', 'the machine disappeared while it was starting', now);
  const deadline = instance.statusChangedAt + instance.provisioningLimitMs;
  if (now >= deadline) return giveUp('provisioning_timeout', whyNotReady(instance), now);
  if (instance.bareHost !== null) {
    const { failedTries } = instance.bareHost;
    const retryMs = doublingDelayMs(failedTries, LIMITS.onboardRetryMinMs, LIMITS.onboardRetryMaxMs);
    return stay('provisioning', { effects: [{ do: 'install-agent' }], dueAt: Math.min(deadline, now + retryMs) });
  }
  // A given host is asked by the connection that is being made to it.
  if (instance.tenure === 'given') return stay('provisioning', { dueAt: deadline });
  const age = now - instance.statusChangedAt;
  // Its agent is being connected to; the cloud is asked what became of it when that takes long.
  if (instance.machineState === 'ready' && age < LIMITS.pollMaxMs)
    return stay('provisioning', { dueAt: Math.min(deadline, instance.statusChangedAt + LIMITS.pollMaxMs) });
  const pauseMs = Math.min(LIMITS.pollMaxMs, Math.max(LIMITS.pollMinMs, age / 4));
  return stay('provisioning', { effects: [{ do: 'poll' }], dueAt: Math.min(deadline, Math.round(now + pauseMs)) });
}

function whatIsUp({ powerOffAfterMs }: StartingInstance): string {
  if (powerOffAfterMs === null) return 'agent is up';
  return `agent is up; without a server and a job for ${Math.round(powerOffAfterMs / MINUTE_MS)} minutes it powers the machine off`;
}

function whyNotReady({ machineState, bareHost }: StartingInstance): string {
  if (machineState !== 'ready') return 'the machine did not become ready in time';
  if (bareHost === null) return 'its agent did not answer in time';
  return `its agent could not be installed in time${bareHost.problem === null ? '' : `: ${bareHost.problem}`}`;
}

function decideLive(instance: LiveInstance, now: Instant): InstanceDecision {
  if (instance.machineState === 'gone') return giveUp('error', 'the machine is gone', now);
  if (instance.machineState === 'failed') return giveUp('error', instance.machineMessage ?? 'the machine failed', now);
  if (isSpent(instance)) return giveUp(instance.unwanted ?? 'job_finished', null, now);
  if (instance.unreachableSince !== null) return decideUnreachable(instance, instance.unreachableSince, now);
  if (instance.busyBlocks > 0) {
    if (instance.status === 'busy') return keep(instance, null, now);
    return go('busy', { changes: { idleSince: null }, dueAt: now, because: 'job assigned' });
  }
  if (instance.status === 'busy') {
    return go('idle', { changes: { idleSince: now }, dueAt: now, because: 'last job released' });
  }
  return decideIdle(instance, now);
}

function decideIdle(instance: LiveInstance, now: Instant): InstanceDecision {
  if (instance.unwanted !== null) return giveUp(instance.unwanted, null, now);
  const { machines, goFirst } = instance.fleetSurplus;
  // Whoever gives the fleet another machine, or wants fewer of it, wakes its idle ones.
  if (instance.idleLimitMs === null || machines <= 0) return keep(instance, null, now);
  const deadline = (instance.idleSince ?? instance.statusChangedAt) + instance.idleLimitMs;
  if (now < deadline) return keep(instance, deadline, now);
  // One after the other: those that became idle together would all go, and the fleet had none.
  return goFirst < machines ? giveUp('idle_timeout', null, now) : keep(instance, now + LIMITS.fleetCheckMs, now);
}

/** A container, or a machine of a group, has had its job: nobody else can use it. */
function isSpent({ kind, isOneOfGroup, busyBlocks }: StartingInstance | LiveInstance): boolean {
  return (kind === 'containers' || isOneOfGroup) && busyBlocks === 0;
}

/** Nothing changes but, perhaps, the agent: its jobs do not notice. */
function keep({ status, replaceAgentAt }: LiveInstance, dueAt: Instant | null, now: Instant): InstanceDecision {
  if (replaceAgentAt === null) return stay(status, { dueAt });
  if (now < replaceAgentAt) return stay(status, { dueAt: Math.min(dueAt ?? replaceAgentAt, replaceAgentAt) });
  return stay(status, { effects: [{ do: 'replace-agent' }], dueAt: now + LIMITS.agentReplaceRetryMs });
}

function decideUnreachable(instance: LiveInstance, since: Instant, now: Instant): InstanceDecision {
  if (instance.unwanted !== null && instance.busyBlocks === 0) return giveUp(instance.unwanted, null, now);
  if (instance.tenure === 'rented' && now >= since + LIMITS.unreachableInstanceMs) {
    return giveUp('unreachable', 'nobody could reach it for 20 minutes', now);
  }
  // Connecting again is the connection's own work; there is nobody else to ask.
  if (instance.tenure === 'given') return stay(instance.status, {});
  // Asking the cloud tells a dead machine from a broken network, and lets `local` start its agent again.
  return stay(instance.status, { effects: [{ do: 'poll' }], dueAt: now + LIMITS.unreachablePollMs });
}

function decideTerminating(instance: TerminatingInstance, now: Instant): InstanceDecision {
  if (instance.machineGone) return go('terminated', { changes: { finishedAt: now }, because: 'machine is gone' });
  if (instance.jobsDraining && now < instance.statusChangedAt + LIMITS.logDrainMs) {
    return stay('terminating', { dueAt: instance.statusChangedAt + LIMITS.logDrainMs });
  }
  // What they hold is written out first; but a machine that does not let go of them ends, and they are free.
  if (instance.volumesLeaving && now < instance.statusChangedAt + LIMITS.instanceDetachMs) {
    return stay('terminating', { dueAt: instance.statusChangedAt + LIMITS.instanceDetachMs });
  }
  // The last of them ends all; whose job is over wakes the others.
  if (instance.groupInUse) return stay('terminating', { dueAt: now + LIMITS.groupWaitMs });
  if (instance.nextTerminateAt !== null && now < instance.nextTerminateAt) {
    return stay('terminating', { dueAt: instance.nextTerminateAt });
  }
  // Not before a try has failed: after a long outage of the server there has been none.
  const wasTried = instance.terminateFailures > 0;
  if (instance.tenure === 'given' && wasTried && now >= instance.statusChangedAt + LIMITS.offboardMs) {
    const left = 'what was installed on the host could not be removed';
    const message = instance.endMessage === null ? left : `${instance.endMessage} (${left})`;
    return go('terminated', { changes: { finishedAt: now, message }, because: left });
  }
  // For ever: a machine that refuses to die stays visible, with its price and its last error.
  return stay('terminating', { effects: [{ do: 'terminate' }], dueAt: now + LIMITS.terminateRetryMinMs });
}
