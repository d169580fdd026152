import { offerOfInstance } from '../offers/instance-offer.js';
import { isUsable, type Offer } from '../offers/offer.js';
import type {
  PlacementCandidate,
  PlacementFleet,
  PlacementGroup,
  PlacementInput,
  PlacementInstance,
  Seat,
  Verdict,
} from './placement-input.js';

type FittingCandidate = Extract<PlacementCandidate, { fits: true }>;

/** Gives submitted jobs their capacity: by priority, then age; existing machines before new ones, the cheapest first. */
export function placeGroups({ groups, instances, fleets }: PlacementInput): Verdict[] {
  const capacity = new Capacity(instances, fleets);
  const ordered = [...groups].sort((a, b) => b.priority - a.priority || a.submittedAt - b.submittedAt);
  return ordered.map((group) => placeGroup(group, capacity));
}

function placeGroup(group: PlacementGroup, capacity: Capacity): Verdict {
  const plans = group.candidates
    .filter((candidate): candidate is FittingCandidate => candidate.fits)
    .flatMap((candidate) => planIn(group, candidate, capacity));
  const best = plans.filter((plan) => plan.isComplete).sort(byPreference)[0];
  if (best !== undefined) {
    capacity.take(best.fleetId, best.seats);
    return { kind: 'placed', group, fleetId: best.fleetId, seats: best.seats };
  }
  if (plans.some((plan) => plan.needsOffers)) return { kind: 'needs-offers', group };
  return { kind: 'no-capacity', group, message: whyNot(group, plans) };
}

interface Plan {
  readonly fleetId: string;
  readonly seats: readonly Seat[];
  readonly isComplete: boolean;
  readonly needsOffers: boolean;
  readonly because: string | null;
}

function planIn(group: PlacementGroup, candidate: FittingCandidate, capacity: Capacity): Plan[] {
  const fleet = capacity.fleet(candidate.fleetId);
  if (fleet === undefined) return [];
  const reused = reuseSeats(group, candidate, capacity);
  const missing = group.jobIds.slice(reused.length);
  const plan = {
    fleetId: fleet.id,
    seats: reused,
    isComplete: missing.length === 0,
    needsOffers: false,
    because: null,
  };
  if (missing.length === 0) return [plan];
  const obstacle = whyNotCreate(group, fleet, missing.length);
  if (obstacle !== null) return [{ ...plan, because: obstacle }];
  if (candidate.offers === null) return [{ ...plan, needsOffers: true }];
  const offer = cheapest(candidate.offers);
  if (offer === null) return [{ ...plan, because: candidate.offersNote ?? `no offers for fleet ${fleet.name}` }];
  const created = missing.map((jobId): Seat => ({ kind: 'create', jobId, offer }));
  return [{ ...plan, seats: [...reused, ...created], isComplete: true }];
}

function reuseSeats(group: PlacementGroup, candidate: FittingCandidate, capacity: Capacity): Seat[] {
  const wanted = group.onlyInstanceIds;
  const usable = capacity
    .instancesOf(candidate.fleetId)
    .filter((instance) => wanted === null || wanted.includes(instance.id))
    .flatMap((instance) => {
      const match = offerOfInstance(instance, candidate.requirements, candidate.filters);
      return match.ok && match.offer.availability === 'idle' ? [{ instance, offer: match.offer }] : [];
    })
    .sort((a, b) => a.offer.price - b.offer.price || freeAfter(a) - freeAfter(b));
  return group.jobIds.slice(0, usable.length).flatMap((jobId, index): Seat[] => {
    const found = usable[index];
    if (found === undefined) return [];
    return [
      { kind: 'reuse', jobId, instanceId: found.instance.id, blocks: found.offer.blocks ?? 1, offer: found.offer },
    ];
  });
}

// Fills the fullest machine first, so that whole ones stay free for whole jobs.
function freeAfter({ instance, offer }: { instance: PlacementInstance; offer: Offer }): number {
  return (instance.totalBlocks ?? 1) - instance.busyBlocks - (offer.blocks ?? 1);
}

function whyNotCreate(group: PlacementGroup, fleet: PlacementFleet, count: number): string | null {
  if (group.onlyInstanceIds !== null) return 'Failed to use specified instances';
  if (!group.mayCreate) return `no idle instance in fleet ${fleet.name} fits, and creation_policy is reuse`;
  if (!fleet.canCreate) return `no idle host in fleet ${fleet.name} fits`;
  if (fleet.maxNodes !== null && fleet.activeCount + count > fleet.maxNodes) {
    return `Fleet is at capacity: ${fleet.name} has ${fleet.activeCount} of at most ${fleet.maxNodes} nodes`;
  }
  return null;
}

function cheapest(offers: readonly Offer[]): Offer | null {
  return offers
    .filter(isUsable)
    .reduce<Offer | null>((best, offer) => (best === null || offer.price < best.price ? offer : best), null);
}

function byPreference(a: Plan, b: Plan): number {
  return countCreated(a) - countCreated(b) || cost(a) - cost(b);
}

function countCreated(plan: Plan): number {
  return plan.seats.filter((seat) => seat.kind === 'create').length;
}

function cost(plan: Plan): number {
  return plan.seats.reduce((sum, seat) => sum + seat.offer.price, 0);
}

function whyNot(group: PlacementGroup, plans: readonly Plan[]): string {
  if (group.candidates.length === 0) return 'No matching fleet found';
  const conflicts = group.candidates.flatMap((candidate) => (candidate.fits ? [] : [candidate.because]));
  const reasons = [
    ...new Set([...plans.flatMap((plan) => (plan.because === null ? [] : [plan.because])), ...conflicts]),
  ];
  return reasons.length === 0 ? 'No matching fleet found' : reasons.slice(0, 3).join('; ');
}

/** The free capacity that is left while one pass hands it out. */
class Capacity {
  private readonly instances: Map<string, PlacementInstance>;
  private readonly fleets: Map<string, PlacementFleet>;

  constructor(instances: readonly PlacementInstance[], fleets: readonly PlacementFleet[]) {
    this.instances = new Map(instances.map((instance) => [instance.id, instance]));
    this.fleets = new Map(fleets.map((fleet) => [fleet.id, fleet]));
  }

  fleet(id: string): PlacementFleet | undefined {
    return this.fleets.get(id);
  }

  instancesOf(fleetId: string): PlacementInstance[] {
    return [...this.instances.values()].filter((instance) => instance.fleetId === fleetId);
  }

  take(fleetId: string, seats: readonly Seat[]): void {
    for (const seat of seats) {
      if (seat.kind === 'reuse') this.occupy(seat.instanceId, seat.blocks);
      else this.grow(fleetId);
    }
  }

  private occupy(instanceId: string, blocks: number): void {
    const instance = this.instances.get(instanceId);
    if (instance === undefined) return;
    this.instances.set(instanceId, { ...instance, status: 'busy', busyBlocks: instance.busyBlocks + blocks });
  }

  private grow(fleetId: string): void {
    const fleet = this.fleets.get(fleetId);
    if (fleet !== undefined) this.fleets.set(fleetId, { ...fleet, activeCount: fleet.activeCount + 1 });
  }
}
