import { offerOfInstance } from '../offers/instance-offer.js';
import { isUsable, type Offer } from '../offers/offer.js';
import { NO_FLEET_MESSAGE } from '../runs/status-message.js';
import type { Capacity } from './capacity.js';
import { condenseFindings, condenseHoldings, type Finding, type Holding } from './condense.js';
import type { Explanation, Obstacle, ObstacleKind } from './explanation.js';
import { explanationLines } from './explanation-lines.js';
import type { PlacementAsk, PlacementGroup, PlacementInstance } from './placement-input.js';
import type { FittingCandidate, SeatObstacle, SeatPlan } from './plan-seats.js';

/** Lines of the short form, which is what a failed job says. */
const LINES_IN_MESSAGE = 3;

/** Everything that was looked at for the group, with what speaks against it. */
export function explainRefusal(
  group: PlacementGroup,
  plans: readonly SeatPlan[],
  capacity: Capacity,
): { readonly message: string; readonly explanation: Explanation } {
  const judged = group.candidates.flatMap((candidate) =>
    candidate.fits ? judgeInstances(group, candidate, capacity) : [],
  );
  const explanation = {
    obstacles: condenseFindings([...aboutFleets(group, plans, capacity), ...judged.map(({ finding }) => finding)]),
    reliefs: condenseHoldings(holdingsOf(judged)),
    fullFleetIds: fleetsWith('fleet-full', plans),
    thisMachineIsFull: isThisMachineFull(group),
  };
  const lines = explanationLines(explanation, Infinity).slice(0, LINES_IN_MESSAGE).join('; ');
  const headline = headlineOf(group, explanation.obstacles, plans);
  return { explanation, message: [headline, lines].filter((part) => part !== '').join(': ') };
}

function headlineOf(group: PlacementGroup, obstacles: readonly Obstacle[], plans: readonly SeatPlan[]): string {
  if (group.onlyInstanceIds !== null) return 'Failed to use specified instances';
  if (group.candidates.length === 0 && group.unknownFleets.length > 0) return 'Failed to use specified fleets';
  if (group.candidates.every((candidate) => !candidate.fits)) return NO_FLEET_MESSAGE;
  if (plans.some((plan) => plan.obstacle === 'fleet-full')) return 'Fleet is at capacity';
  return obstacles.length === 0 ? 'no instance fits' : '';
}

function aboutFleets(group: PlacementGroup, plans: readonly SeatPlan[], capacity: Capacity): Finding[] {
  const nameOf = (fleetId: string): string => capacity.fleet(fleetId)?.name ?? fleetId;
  const unknown = group.unknownFleets.map((name) => aboutFleet(name, 'does not exist'));
  const known = group.candidates.flatMap((candidate): Finding[] => {
    const name = nameOf(candidate.fleetId);
    if (!candidate.fits) return [aboutFleet(name, candidate.because)];
    const own = plans.filter((plan) => plan.fleetId === candidate.fleetId);
    const uncreated = [...new Set(own.map(({ obstacle }) => obstacle))];
    return [
      ...tooFewTogether(group, own, name),
      ...uncreated.flatMap((obstacle) => whyNothingIsCreated(obstacle, candidate, capacity)),
    ];
  });
  return [...unknown, ...known];
}

/** Some nodes of a gang would have found a machine. */
function tooFewTogether({ jobs }: PlacementGroup, plans: readonly SeatPlan[], fleet: string): Finding[] {
  const most = Math.max(0, ...plans.map((plan) => plan.seats.length));
  if (jobs.length === 1 || most === 0) return [];
  return [aboutFleet(fleet, `${jobs.length} machines needed at once in one place, ${most} of them free`)];
}

function whyNothingIsCreated(obstacle: SeatObstacle | null, { fleetId, asks }: FittingCandidate, capacity: Capacity): Finding[] {
  const fleet = capacity.fleet(fleetId);
  if (fleet === undefined) return [];
  switch (obstacle) {
    case 'no-offers': {
      const notes = [...new Set(asks.flatMap(({ offersNotes }) => offersNotes))];
      const own = { kind: 'offers' as const, about: null };
      if (notes.length === 0) return [{ ...own, because: `no offers for fleet ${fleet.name}` }];
      return notes.map((because) => ({ ...own, because }));
    }
    case 'fleet-full':
      return [aboutFleet(fleet.name, `has ${fleet.activeCount} of at most ${fleet.maxNodes ?? 0} nodes`)];
    case 'reuse-only':
      return [aboutFleet(fleet.name, 'nothing is created, as creation_policy is reuse')];
    case 'named-only':
    case 'hosts-only':
    case 'offers-unknown':
    case null:
      return [];
  }
} // prettier-ignore

interface JudgedInstance {
  readonly finding: Finding;
  readonly instance: PlacementInstance | null;
}

function judgeInstances(group: PlacementGroup, candidate: FittingCandidate, capacity: Capacity): JudgedInstance[] {
  const named = group.onlyInstanceIds;
  const present = capacity
    .instancesOf(candidate.fleetId)
    .filter(({ id }) => named === null || named.includes(id))
    .flatMap((instance) => {
      const verdict = mildest(candidate.asks.map((ask) => judge(instance, ask)));
      if (verdict === null) return [];
      return [{ instance, ...verdict, name: instance.name, isHost: instance.backend === 'remote' }];
    });
  const absent = named !== null ? [] : capacity.absentOf(candidate.fleetId);
  const all = [...present, ...absent.map((each) => ({ ...each, instance: null, kind: 'away' as const }))];
  return all
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
    .map(({ instance, kind, because, name, isHost }) => ({
      instance,
      finding: { kind, because, about: { noun: isHost ? 'host' : 'instance', name } },
    }));
}

interface InstanceVerdict {
  readonly kind: ObstacleKind;
  readonly because: string;
}

/** Null: it could be used, but alone it is not enough. */
function judge(instance: PlacementInstance, { requirements, filters }: PlacementAsk): InstanceVerdict | null {
  const match = offerOfInstance(instance, requirements, filters);
  if (match.ok) {
    if (match.offer.availability === 'idle') return null;
    return { kind: 'busy', because: whyBusy(instance, match.offer, requirements.multinode === true) };
  }
  if (match.unusable !== null) return { kind: 'away', because: whyAway(instance, match.unusable) };
  return { kind: 'mismatch', because: match.reasons.map(({ text }) => text).join(', ') };
}

const MILDEST: readonly ObstacleKind[] = ['busy', 'away', 'mismatch'];

function mildest(verdicts: readonly (InstanceVerdict | null)[]): InstanceVerdict | null {
  const found = verdicts.filter((verdict) => verdict !== null);
  if (found.length < verdicts.length) return null;
  return found.sort((a, b) => MILDEST.indexOf(a.kind) - MILDEST.indexOf(b.kind))[0] ?? null;
}

function whyBusy({ totalBlocks, busyBlocks, instanceType: { resources } }: PlacementInstance, offer: Offer, wantsWhole: boolean): string {
  const total = totalBlocks ?? 1;
  if (total === 1) return 'busy';
  if (wantsWhole) return `the whole machine is needed, ${busyBlocks} of ${total} blocks are in use`;
  const [unit, perBlock] = resources.gpus.length > 0 ? ['gpu', resources.gpus.length / total] as const : ['cpu', resources.cpus / total] as const;
  const needed = (offer.blocks ?? 1) * perBlock;
  return `${needed} ${unit}${needed === 1 ? '' : 's'} needed, ${(total - busyBlocks) * perBlock} of ${total * perBlock} free`;
} // prettier-ignore

function whyAway({ unreachableSince, health, healthIncidents = [] }: PlacementInstance, unusable: string): string {
  if (unreachableSince !== null) return `unreachable since ${utcMinute(unreachableSince)}`;
  const [worst] = healthIncidents;
  return health === 'failure' && worst !== undefined ? `health: ${worst}` : unusable;
}

function holdingsOf(judged: readonly JudgedInstance[]): Holding[] {
  return judged.flatMap(({ instance, finding }) =>
    finding.kind !== 'busy' || instance === null
      ? []
      : instance.holders.map((holder) => ({ ...holder, instanceName: instance.name })),
  );
}

function isThisMachineFull({ candidates }: PlacementGroup): boolean {
  return candidates.some(
    (candidate) =>
      candidate.fits &&
      candidate.asks.some(({ offers }) => offers?.some((offer) => offer.backend === 'local' && !isUsable(offer))),
  );
}

function fleetsWith(obstacle: SeatObstacle, plans: readonly SeatPlan[]): string[] {
  return [...new Set(plans.filter((plan) => plan.obstacle === obstacle).map((plan) => plan.fleetId))];
}

function aboutFleet(name: string, because: string): Finding {
  return { kind: 'fleet', about: { noun: 'fleet', name }, because };
}

/** `2026-11-25 10:32 UTC`. */
function utcMinute(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
