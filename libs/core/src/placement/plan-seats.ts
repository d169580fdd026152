import { offerOfInstance } from '../offers/instance-offer.js';
import { isUsable, type Offer } from '../offers/offer.js';
import type { Capacity } from './capacity.js';
import { distinctPlaces, isAt, type Place } from './place.js';
import type { PlacementAsk, PlacementCandidate, PlacementFleet, PlacementGroup, PlacementInstance, PlacementJob, Seat } from './placement-input.js'; // prettier-ignore
import { seatJobs } from './seat-jobs.js';

export type FittingCandidate = Extract<PlacementCandidate, { fits: true }>;

/** One way to seat a group in one fleet, or how far it comes. */
export interface SeatPlan {
  readonly fleetId: string;
  readonly seats: readonly Seat[];
  readonly isComplete: boolean;
  readonly obstacle: SeatObstacle | null;
}

/** What the seats that are missing are missing for. */
export type SeatObstacle = 'offers-unknown' | 'no-offers' | 'fleet-full' | 'reuse-only' | 'hosts-only' | 'named-only';

/** The ways a group can be seated in a fleet: one for a single job, one for each place a gang could be in. */
export function planSeats(group: PlacementGroup, candidate: FittingCandidate, capacity: Capacity): SeatPlan[] {
  const fleet = capacity.fleet(candidate.fleetId);
  if (fleet === undefined) return [];
  const options = candidate.asks.map((ask) => optionsFor(group, fleet, ask, capacity));
  return placesFor(candidate, fleet, options).map((place) => planAt({ group, candidate, fleet, options, place }));
}

interface Option {
  readonly instance: PlacementInstance;
  readonly offer: Offer;
}

interface PlanInput {
  readonly group: PlacementGroup;
  readonly candidate: FittingCandidate;
  readonly fleet: PlacementFleet;
  /** Free instances for each ask, best first. */
  readonly options: readonly (readonly Option[])[];
  /** Null: anywhere. */
  readonly place: Place | null;
}

function planAt({ group, candidate, fleet, options, place }: PlanInput): SeatPlan {
  const at = options.map((each) => each.filter(({ instance }) => isAt(place, instance)));
  const seated = seatJobs(group.jobs, (job) => at[job.ask] ?? []);
  const seats = [...seated].map(([jobId, { instance, offer }]): Seat => {
    return { kind: 'reuse', jobId, instanceId: instance.id, blocks: offer.blocks ?? 1, offer };
  });
  const missing = group.jobs.filter((job) => !seated.has(job.id));
  const plan = { fleetId: fleet.id, seats, isComplete: false, obstacle: null };
  if (missing.length === 0) return { ...plan, isComplete: true };
  const obstacle = whyNotCreate(group, fleet, missing.length);
  if (obstacle !== null) return { ...plan, obstacle };
  if (missing.some((job) => candidate.asks[job.ask]?.offers === null)) return { ...plan, obstacle: 'offers-unknown' };
  const where = place ?? fleet.anchor;
  const each = missing.flatMap((job) => createSeat(job, candidate.asks[job.ask], where));
  // Those that are made together are for all nodes.
  const together = seats.length === 0 ? createTogether(missing, candidate.asks, where) : [];
  const created = cheaper(together, each, missing.length);
  if (created.length < missing.length) return { ...plan, obstacle: 'no-offers' };
  return { ...plan, seats: [...seats, ...created], isComplete: true };
}

/** A gang is in one place, and a cluster stays in the place of its first machine. */
function placesFor(
  { asks }: FittingCandidate,
  { anchor }: PlacementFleet,
  options: readonly (readonly Option[])[],
): (Place | null)[] {
  if (!asks.some(({ requirements }) => requirements.multinode === true)) return [null];
  const existing = options.flat().map(({ instance }) => instance);
  const offered = asks.flatMap(({ offers }) => (offers ?? []).filter(isUsable));
  const places = distinctPlaces([...existing, ...offered]).filter((place) => isAt(anchor, place));
  const isUnknown = asks.some(({ offers }) => offers === null);
  return places.length === 0 || isUnknown ? [...places, anchor ?? NOWHERE] : places;
}

/** Stands for a place nobody has named yet: nothing that exists is there. */
const NOWHERE: Place = { backend: 'remote', region: '' };

function optionsFor(
  { onlyInstanceIds }: PlacementGroup,
  fleet: PlacementFleet,
  { requirements, filters }: PlacementAsk,
  capacity: Capacity,
): Option[] {
  return capacity
    .instancesOf(fleet.id)
    .filter((instance) => onlyInstanceIds === null || onlyInstanceIds.includes(instance.id))
    .flatMap((instance) => {
      const match = offerOfInstance(instance, requirements, filters);
      return match.ok && match.offer.availability === 'idle' ? [{ instance, offer: match.offer }] : [];
    })
    .sort((a, b) => byThrift(a, b, requirements.resources.gpu?.count?.min ?? 0));
}

/**
 * The cheapest first; of equal ones that which gives away the fewest GPUs nobody asked for, then the fullest, so that whole machines stay
 * free for whole jobs, then the smallest, then the first of its fleet.
 */
function byThrift(a: Option, b: Option, gpusAsked: number): number {
  const spareGpus = ({ offer }: Option): number => Math.max(0, offer.instance.resources.gpus.length - gpusAsked);
  const freeAfter = ({ instance, offer }: Option): number =>
    (instance.totalBlocks ?? 1) - instance.busyBlocks - (offer.blocks ?? 1);
  const cpus = ({ offer }: Option): number => offer.instance.resources.cpus;
  return (
    a.offer.price - b.offer.price ||
    spareGpus(a) - spareGpus(b) ||
    freeAfter(a) - freeAfter(b) ||
    cpus(a) - cpus(b) ||
    a.instance.name.localeCompare(b.instance.name, 'en', { numeric: true }) ||
    compareText(a.instance.id, b.instance.id)
  );
}

function whyNotCreate(group: PlacementGroup, fleet: PlacementFleet, count: number): SeatObstacle | null {
  if (group.onlyInstanceIds !== null) return 'named-only';
  if (!group.mayCreate) return 'reuse-only';
  if (!fleet.canCreate) return 'hosts-only';
  return fleet.maxNodes !== null && fleet.activeCount + count > fleet.maxNodes ? 'fleet-full' : null;
}

/** All seats by one call: the cheapest that is offered to every one of them. */
function createTogether(
  jobs: readonly PlacementJob[],
  asks: readonly PlacementAsk[],
  place: Place | null,
): Extract<Seat, { kind: 'create' }>[] {
  const [first, ...others] = jobs.map(({ ask }) => {
    const offers = (asks[ask]?.offers ?? []).filter((offer) => isMadeTogether(offer) && isUsable(offer));
    return new Map(offers.filter((offer) => isAt(place, offer)).map((offer) => [keyOf(offer), offer]));
  });
  const [best] = [...(first ?? [])]
    .filter(([key]) => others.every((each) => each.has(key)))
    .sort(([keyA, a], [keyB, b]) => a.price - b.price || compareText(keyA, keyB));
  return best === undefined ? [] : jobs.map(({ id, ask }) => ({ kind: 'create', jobId: id, ask, offer: best[1] }));
}

function cheaper(a: readonly Seat[], b: readonly Seat[], count: number): readonly Seat[] {
  const cost = (seats: readonly Seat[]): number =>
    seats.length < count ? Infinity : seats.reduce((sum, { offer }) => sum + offer.price, 0);
  return cost(a) < cost(b) ? a : b;
}

function isMadeTogether({ group_nodes: nodes }: Offer): boolean {
  return nodes !== undefined;
}

function createSeat({ id, ask }: PlacementJob, of: PlacementAsk | undefined, place: Place | null): Seat[] {
  const usable = (of?.offers ?? []).filter((offer) => !isMadeTogether(offer) && isUsable(offer) && isAt(place, offer));
  const [cheapest] = usable.sort((a, b) => a.price - b.price || compareText(keyOf(a), keyOf(b)));
  return cheapest === undefined ? [] : [{ kind: 'create', jobId: id, ask, offer: cheapest }];
}

function keyOf({ backend, region, instance }: Offer): string {
  return `${backend} ${region} ${instance.name} ${instance.resources.spot}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
