import type { FleetStatus } from '../wire/enums.js';
import { type Decision, go, type Instant, stay, undecided } from './decision.js';
import { consolidationDelayMs, LIMITS } from './limits.js';

interface FleetBase {
  readonly id: string;
  readonly createdAt: Instant;
}

export interface FleetInstance {
  readonly id: string;
  /** `busy` also before it has started, when it was made for a job; `going`: terminating, or to be terminated. */
  readonly state: 'starting' | 'idle' | 'busy' | 'going';
  /** It is what the fleet's specification asks for now. */
  readonly fits: boolean;
}

export interface ActiveFleet extends FleetBase {
  readonly status: 'submitted' | 'active';
  /** Null: the fleet has the hosts it was given. */
  readonly nodes: { readonly min: number; readonly target: number; readonly max: number | null } | null;
  readonly instances: readonly FleetInstance[];
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
  /** Those that no job has taken meanwhile. */
  | {
      readonly do: 'dismiss-instances';
      readonly instanceIds: readonly string[];
      readonly reason: 'terminated_by_user' | 'max_instances_limit' | 'fleet_spec_mismatch';
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
  const effects = dismissals(fleet.instances, max);
  if (effects.length > 0) return stay('active', { effects, dueAt: now + LIMITS.fleetCheckMs });
  return fillUp(fleet, min, now);
}

/** Machines that are not what the fleet asks for any more, and idle ones that are too many. Jobs are left alone. */
function dismissals(instances: readonly FleetInstance[], max: number | null): FleetEffect[] {
  const misfits = instances.filter(({ state, fits }) => !fits && (state === 'idle' || state === 'starting'));
  const staying = instances.filter((each) => each.state !== 'going' && !misfits.includes(each));
  const surplus = max === null ? 0 : Math.max(0, staying.length - max);
  const spare = staying.filter(({ state }) => state === 'idle').slice(0, surplus);
  const dismiss = (
    of: readonly FleetInstance[],
    reason: 'fleet_spec_mismatch' | 'max_instances_limit',
  ): FleetEffect[] =>
    of.length === 0 ? [] : [{ do: 'dismiss-instances', instanceIds: of.map(({ id }) => id), reason }];
  return [...dismiss(misfits, 'fleet_spec_mismatch'), ...dismiss(spare, 'max_instances_limit')];
}

function fillUp(fleet: ActiveFleet, min: number, now: Instant): FleetDecision {
  // Those that are going count as nodes until they are gone: a replacement never costs beside what it replaces.
  const missing = min - fleet.instances.length;
  if (missing <= 0) {
    const isClean = fleet.consolidationAttempt > 0 && fleet.instances.every(({ state }) => state !== 'going');
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
      : [{ do: 'dismiss-instances', instanceIds: fleet.liveInstanceIds, reason: 'terminated_by_user' }];
  return stay('terminating', { effects, dueAt: now + LIMITS.fleetCheckMs });
}
