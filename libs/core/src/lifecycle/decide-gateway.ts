import type { GatewayStatus } from '../wire/enums.js';
import { type Decision, go, type Instant, stay, undecided } from './decision.js';
import type { GatewayChanges, GatewayEffect, GatewayReplicaFact, GatewaySnapshot } from './gateway-snapshot.js';
import { consolidationDelayMs, LIMITS } from './limits.js';

export type GatewayDecision = Decision<GatewayStatus, GatewayEffect, GatewayChanges>;

/** How many replicas a gateway has, and what it is as a whole. Each replica has a life of its own. */
export function decideGateway(gateway: GatewaySnapshot, now: Instant): GatewayDecision {
  if (gateway.deletionRequested) return remove(gateway, now);
  switch (gateway.status) {
    case 'submitted': {
      const effects = create(numbers(gateway, gateway.desired));
      return go('provisioning', { effects, dueAt: now + LIMITS.runCheckMs, because: 'its replicas are being made' });
    }
    case 'provisioning':
      return decideProvisioning(gateway, now);
    case 'running':
      return keep(gateway, now);
    case 'failed':
      return release(gateway);
    default:
      return undecided(gateway.status);
  }
}

/** One replica that serves is a gateway: the others are made while it does. Without any it has failed once none is left to wait for. */
function decideProvisioning(gateway: GatewaySnapshot, now: Instant): GatewayDecision {
  const wanted = live(gateway);
  if (wanted.some(({ status }) => status === 'running'))
    return go('running', { changes: { message: null }, dueAt: now, because: 'a replica serves' });
  if (wanted.length > 0) return stay('provisioning', { dueAt: now + LIMITS.runCheckMs });
  const message =
    gateway.replicas.findLast((replica) => replica.message !== null)?.message ?? 'no replica could be made';
  return go('failed', { changes: { message }, dueAt: gateway.hasBalancer ? now : null, because: message });
}

/** One that has failed keeps nothing that costs; a balancer that is gone is asked about once more when something wakes the gateway. */
function release(gateway: GatewaySnapshot): GatewayDecision {
  const effects = drop(live(gateway));
  if (!gateway.hasBalancer || !isEmpty(gateway)) return stay('failed', { effects });
  return stay('failed', { effects: [...effects, { do: 'delete-balancer', isLast: false }] });
}

/** Lost replicas are replaced, later and later while that fails; a gateway that has served never fails as a whole. */
function keep(gateway: GatewaySnapshot, now: Instant): GatewayDecision {
  const { desired, failures, lastFailureAt } = gateway;
  const wanted = live(gateway);
  const surplus = byImportance(wanted).slice(desired);
  if (surplus.length > 0) return stay('running', { effects: drop(surplus), dueAt: now });
  const lost = gateway.replicas.filter(({ status, isUnwanted }) => isOver(status) && !isUnwanted);
  if (lost.length > 0) {
    // Counted once: from then on they are as any others that go.
    const changes = { failures: failures + 1, lastFailureAt: now, message: lost.at(-1)?.message ?? null };
    return stay('running', { effects: drop(lost), changes, dueAt: now });
  }
  const gone = gateway.replicas.filter(({ status, isUnwanted }) => status === 'terminated' && isUnwanted);
  const effects = forget(gone);
  const missing = numbers(gateway, desired - wanted.length);
  if (missing.length > 0) {
    const at = lastFailureAt === null ? now : lastFailureAt + (failures <= 1 ? 0 : consolidationDelayMs(failures - 2));
    if (at > now) return stay('running', { effects, dueAt: at });
    return stay('running', { effects: [...effects, ...create(missing)], dueAt: now + LIMITS.runCheckMs });
  }
  const isWhole = wanted.every(({ status }) => status === 'running');
  if (isWhole && failures > 0)
    return stay('running', { effects, changes: { failures: 0, lastFailureAt: null, message: null } });
  return stay('running', { effects, dueAt: isWhole ? null : now + LIMITS.runCheckMs });
}

function remove(gateway: GatewaySnapshot, now: Instant): GatewayDecision {
  const { status, hasBalancer } = gateway;
  if (isEmpty(gateway)) {
    if (hasBalancer) return stay(status, { effects: [{ do: 'delete-balancer', isLast: true }] });
    return stay(status, { changes: { deletedAt: now } });
  }
  return stay(status, { effects: drop(live(gateway)), dueAt: now + LIMITS.runCheckMs });
}

function isEmpty({ replicas }: GatewaySnapshot): boolean {
  return replicas.every(({ status }) => status === 'terminated');
}

function live({ replicas }: GatewaySnapshot): GatewayReplicaFact[] {
  return replicas.filter(({ status, isUnwanted }) => !isUnwanted && !isOver(status));
}

function isOver(status: GatewayReplicaFact['status']): boolean {
  return status === 'terminating' || status === 'terminated';
}

const IMPORTANCE: Readonly<Record<GatewayReplicaFact['status'], number>> = {
  running: 2,
  provisioning: 1,
  submitted: 0,
  terminating: 0,
  terminated: 0,
};

function byImportance(replicas: readonly GatewayReplicaFact[]): GatewayReplicaFact[] {
  return replicas.toSorted((a, b) => IMPORTANCE[b.status] - IMPORTANCE[a.status] || a.num - b.num);
}

/** The lowest that nobody has: on hosts of one's own a number is a host. */
function numbers({ replicas }: GatewaySnapshot, count: number): number[] {
  const taken = new Set(replicas.filter(({ status }) => status !== 'terminated').map(({ num }) => num));
  const found: number[] = [];
  for (let num = 0; found.length < count; num += 1) if (!taken.has(num)) found.push(num);
  return found;
}

function create(nums: readonly number[]): GatewayEffect[] {
  return nums.length === 0 ? [] : [{ do: 'create-replicas', nums }];
}

function drop(replicas: readonly GatewayReplicaFact[]): GatewayEffect[] {
  return replicas.length === 0 ? [] : [{ do: 'drop-replicas', ids: replicas.map(({ id }) => id) }];
}

function forget(replicas: readonly GatewayReplicaFact[]): GatewayEffect[] {
  return replicas.length === 0 ? [] : [{ do: 'forget-replicas', ids: replicas.map(({ id }) => id) }];
}
