import { Capacity } from './capacity.js';
import { explainRefusal } from './explain-refusal.js';
import type { Explanation } from './explanation.js';
import type { PlacementGroup, PlacementInput, Seat } from './placement-input.js';
import { type FittingCandidate, planSeats, type SeatPlan } from './plan-seats.js';

export type Verdict =
  | {
      readonly kind: 'placed';
      readonly group: PlacementGroup;
      readonly fleetId: string;
      readonly seats: readonly Seat[];
    }
  /** Existing capacity is not enough, or somebody ahead may need it: ask the backends what they could create and decide again. */
  | { readonly kind: 'needs-offers'; readonly group: PlacementGroup; readonly fleetIds: readonly string[] }
  | {
      readonly kind: 'no-capacity';
      readonly group: PlacementGroup;
      readonly message: string;
      readonly explanation: Explanation;
    };

/**
 * Gives submitted jobs their capacity: by priority, then age; existing machines before new ones, the cheapest first. All jobs of a group
 * are seated at once or none is, so two groups never wait for each other's half.
 */
export function placeGroups({ groups, ...scene }: PlacementInput): Verdict[] {
  const capacity = new Capacity(scene);
  return [...groups].sort(byTurn).map((group) => placeGroup(group, capacity));
}

function placeGroup(group: PlacementGroup, capacity: Capacity): Verdict {
  const fitting = group.candidates.filter((candidate): candidate is FittingCandidate => candidate.fits);
  const plans = fitting.flatMap((candidate) => planSeats(group, candidate, capacity));
  const best = plans.filter((plan) => plan.isComplete).sort(byPreference)[0];
  if (best !== undefined) {
    capacity.take(group, best.fleetId, best.seats);
    return { kind: 'placed', group, fleetId: best.fleetId, seats: best.seats };
  }
  const unknown = plans.filter((plan) => plan.obstacle === 'offers-unknown');
  if (unknown.length > 0 || fitting.some(({ fleetId }) => capacity.isHeld(fleetId))) {
    capacity.hold(group, plans);
    return { kind: 'needs-offers', group, fleetIds: [...new Set(unknown.map((plan) => plan.fleetId))] };
  }
  return { kind: 'no-capacity', group, ...explainRefusal(group, plans, capacity) };
}

function byTurn(a: PlacementGroup, b: PlacementGroup): number {
  return b.priority - a.priority || a.submittedAt - b.submittedAt || compareText(nameOf(a), nameOf(b));
}

function nameOf({ runId, jobs }: PlacementGroup): string {
  return `${runId} ${jobs[0]?.id ?? ''}`;
}

function byPreference(a: SeatPlan, b: SeatPlan): number {
  return countCreated(a) - countCreated(b) || cost(a) - cost(b);
}

function countCreated(plan: SeatPlan): number {
  return plan.seats.filter((seat) => seat.kind === 'create').length;
}

function cost(plan: SeatPlan): number {
  return plan.seats.reduce((sum, seat) => sum + seat.offer.price, 0);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
