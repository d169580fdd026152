import type { FleetStatus } from '../wire/enums.js';
import { type Decision, go, type Instant, stay, undecided } from './decision.js';
import { consolidationDelayMs, LIMITS } from './limits.js';

interface FleetBase {
  readonly id: string;
  readonly createdAt: Instant;
}

export interface ActiveFleet extends FleetBase {
  readonly status: 'submitted' | 'active';
  readonly nodes: { readonly min: number; readonly target: number; readonly max: number | null } | null;
  /** Instances neither terminating nor terminated. */
  readonly activeCount: number;
  /** Terminating ones count as nodes until they are gone. */
  readonly terminatingCount: number;
  readonly idleIds: readonly string[];
  readonly consolidationAttempt: number;
  readonly lastConsolidatedAt: Instant | null;
}

export interface EndingFleet extends FleetBase {
  readonly status: 'terminating';
  readonly liveInstanceIds: readonly string[];
  readonly unfinishedRuns: number;
}

export interface EndedFleet extends FleetBase {
  readonly status: 'terminated' | 'failed';
}

export type FleetSnapshot = ActiveFleet | EndingFleet | EndedFleet;

export type FleetEffect =
  | { readonly do: 'create-instances'; readonly count: number }
  | {
      readonly do: 'terminate-instances';
      readonly instanceIds: readonly string[];
      readonly reason: 'terminated_by_user' | 'max_instances_limit';
    };

export interface FleetChanges {
  readonly consolidationAttempt: number;
  readonly lastConsolidatedAt: Instant;
  readonly deletedAt: Instant;
}

export type FleetDecision = Decision<FleetStatus, FleetEffect, FleetChanges>;

/** After this many rounds in a row that had to create something, a person has to look (an update starts the count again). */
const MAX_CONSOLIDATIONS = 15;

export function decideFleet(fleet: FleetSnapshot, now: Instant): FleetDecision {
  switch (fleet.status) {
    case 'submitted':
      return go('active', { dueAt: now, because: 'fleet created' });
    case 'active':
      return decideActive(fleet, now);
    case 'terminating':
      return decideTerminating(fleet, now);
    case 'terminated':
    case 'failed':
      return stay(fleet.status, {});
    default:
      return undecided(fleet);
  }
}

function decideActive(fleet: ActiveFleet, now: Instant): FleetDecision {
  if (fleet.nodes === null) return stay('active', {});
  const { min, max } = fleet.nodes;
  const surplus = max === null ? 0 : fleet.activeCount - max;
  if (surplus > 0 && fleet.idleIds.length > 0) {
    const instanceIds = fleet.idleIds.slice(0, surplus);
    return stay('active', {
      effects: [{ do: 'terminate-instances', instanceIds, reason: 'max_instances_limit' }],
      dueAt: now + LIMITS.fleetCheckMs,
    });
  }
  return fillUp(fleet, min, now);
}

function fillUp(fleet: ActiveFleet, min: number, now: Instant): FleetDecision {
  const missing = min - fleet.activeCount - fleet.terminatingCount;
  if (missing <= 0) {
    const isClean = fleet.consolidationAttempt > 0 && fleet.terminatingCount === 0 && fleet.activeCount >= min;
    const settledAt = (fleet.lastConsolidatedAt ?? fleet.createdAt) + LIMITS.fleetCheckMs;
    if (!isClean) return stay('active', {});
    return now < settledAt
      ? stay('active', { dueAt: settledAt })
      : stay('active', { changes: { consolidationAttempt: 0 } });
  }
  if (fleet.consolidationAttempt >= MAX_CONSOLIDATIONS) return stay('active', {});
  const nextAt = (fleet.lastConsolidatedAt ?? fleet.createdAt) + consolidationDelayMs(fleet.consolidationAttempt);
  if (now < nextAt) return stay('active', { dueAt: nextAt });
  return stay('active', {
    effects: [{ do: 'create-instances', count: missing }],
    changes: { consolidationAttempt: fleet.consolidationAttempt + 1, lastConsolidatedAt: now },
    dueAt: now + LIMITS.fleetCheckMs,
  });
}

function decideTerminating(fleet: EndingFleet, now: Instant): FleetDecision {
  if (fleet.liveInstanceIds.length === 0 && fleet.unfinishedRuns === 0) {
    return go('terminated', { changes: { deletedAt: now }, because: 'all instances are gone' });
  }
  const effects: FleetEffect[] =
    fleet.liveInstanceIds.length === 0
      ? []
      : [{ do: 'terminate-instances', instanceIds: fleet.liveInstanceIds, reason: 'terminated_by_user' }];
  return stay('terminating', { effects, dueAt: now + LIMITS.fleetCheckMs });
}
