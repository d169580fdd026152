import type { GatewayReplicaStatus } from '../wire/enums.js';
import { type Decision, go, type Instant, stay, undecided } from './decision.js';
import type {
  GatewayReplicaChanges,
  GatewayReplicaEffect,
  GatewayReplicaSnapshot,
  ProvisioningGatewayReplica,
  RunningGatewayReplica,
  TerminatingGatewayReplica,
} from './gateway-replica-snapshot.js';
import { LIMITS } from './limits.js';
import type { Trouble } from './trouble.js';

export type GatewayReplicaDecision = Decision<GatewayReplicaStatus, GatewayReplicaEffect, GatewayReplicaChanges>;

/** One machine of a gateway. Its name is committed one pass before a `create` effect exists: a crash leaves a name to look for. */
export function decideGatewayReplica(replica: GatewayReplicaSnapshot, now: Instant): GatewayReplicaDecision {
  switch (replica.status) {
    case 'submitted': {
      if (replica.isUnwanted) return end('it is not needed', null, now);
      const over = whyOver(replica, now);
      if (over !== null) return end(over, over, now);
      if (replica.isOwnHost) return go('provisioning', { dueAt: now, because: 'its host is there' });
      if (replica.isNamed) return go('provisioning', { dueAt: now, because: 'its name is on disk' });
      return attempt('submitted', { do: 'plan' }, replica.trouble, now);
    }
    case 'provisioning':
      return decideProvisioning(replica, now);
    case 'running':
      return decideRunning(replica, now);
    case 'terminating':
      return decideTerminating(replica, now);
    case 'terminated':
      return stay('terminated', {});
    default:
      return undecided(replica);
  }
}

function decideProvisioning(replica: ProvisioningGatewayReplica, now: Instant): GatewayReplicaDecision {
  const { machine, machineMessage, trouble } = replica;
  if (replica.isUnwanted) return end('it is not needed', null, now);
  const { isInstalled, hasToJoin } = replica;
  if (isInstalled && !hasToJoin)
    return go('running', { changes: { message: null }, dueAt: now, because: 'it is installed' });
  const over = whyOver(replica, now);
  if (over !== null) return end(over, over, now);
  switch (machine) {
    case 'failed':
      return end('its machine has failed', machineMessage ?? 'the machine failed to start', now);
    case 'gone':
      return end('its machine is gone', 'the machine was terminated by somebody else', now);
    case 'none':
      return attempt('provisioning', { do: 'create' }, trouble, now);
    case 'starting':
      return attempt('provisioning', { do: 'poll' }, trouble, now);
    case 'ready':
      return attempt('provisioning', { do: isInstalled ? 'join' : 'install' }, trouble, now);
    default:
      return undecided(machine);
  }
}

/** A replica that cannot be reached keeps serving what it knows. A rented one is given up when its cloud says so, or after long. */
function decideRunning(replica: RunningGatewayReplica, now: Instant): GatewayReplicaDecision {
  const { unreachableSince, isOwnHost, machine, trouble } = replica;
  if (replica.isUnwanted) return end('it is not needed', null, now);
  if (unreachableSince !== null) {
    if (isOwnHost) return stay('running', {});
    const lost = whyLost(machine, now - unreachableSince);
    if (lost !== null) return end(lost, lost, now);
    return stay('running', { effects: [{ do: 'poll' }], dueAt: now + LIMITS.unreachablePollMs });
  }
  if (!replica.isOutdated) return stay('running', {});
  if (trouble !== null && now < trouble.nextTryAt) return stay('running', { dueAt: trouble.nextTryAt });
  return stay('running', { effects: [{ do: 'install' }], dueAt: now + LIMITS.gatewayUpdateRetryMs });
}

function whyLost(machine: RunningGatewayReplica['machine'], unreachableMs: number): string | null {
  if (machine === 'gone') return 'its machine is gone';
  if (machine === 'failed') return 'its machine has failed';
  return unreachableMs >= LIMITS.unreachableInstanceMs ? 'it could not be reached for too long' : null;
}

/** A rented machine for ever: one that refuses to die stays visible with its last error. */
function decideTerminating(replica: TerminatingGatewayReplica, now: Instant): GatewayReplicaDecision {
  const { isGone, isOwnHost, trouble, statusChangedAt } = replica;
  if (isGone) return go('terminated', { because: 'it is gone' });
  if (isOwnHost && now >= statusChangedAt + LIMITS.gatewayUninstallMs)
    return go('terminated', { because: 'its host could not be reached: the gateway may still be installed there' });
  return attempt('terminating', { do: 'terminate' }, trouble, now);
}

/** A final answer, or a passing one that does not pass. */
function whyOver({ trouble, createdAt }: Pick<GatewayReplicaSnapshot, 'trouble' | 'createdAt'>, now: Instant) {
  if (now >= createdAt + LIMITS.gatewayReadyMs) return trouble?.message ?? 'it did not get ready in time';
  return trouble?.isFinal === true ? trouble.message : null;
}

function attempt(
  status: GatewayReplicaStatus,
  effect: GatewayReplicaEffect,
  trouble: Trouble | null,
  now: Instant,
): GatewayReplicaDecision {
  if (trouble !== null && now < trouble.nextTryAt) return stay(status, { dueAt: trouble.nextTryAt });
  return stay(status, { effects: [effect], dueAt: now + LIMITS.gatewayRetryMinMs });
}

function end(because: string, message: string | null, now: Instant): GatewayReplicaDecision {
  return go('terminating', { changes: { message }, dueAt: now, because });
}
