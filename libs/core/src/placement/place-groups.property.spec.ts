import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ask, fleet, gpus, group, instance, offer, requirements, resources } from '../../test/placement-builders.js';
import { placeGroups, type Verdict } from './place-groups.js';
import type { PlacementFleet, PlacementGroup, PlacementInput, PlacementInstance } from './placement-input.js';

type Scene = Pick<PlacementInput, 'groups' | 'instances' | 'fleets'>;
type Placed = Extract<Verdict, { kind: 'placed' }>;

const PLACES = ['eu', 'us'] as const;
const FLEETS = ['f0', 'f1'] as const;
/** Little choice and much demand: what goes wrong goes wrong between those that are alike. */
const someFleet = fc.constantFrom('f0', 'f0', 'f0', 'f1');
const rarely = fc.constantFrom(false, false, false, false, true);
const region = fc.constantFrom(...PLACES);

const anInstance = fc.record({
  region,
  fleetId: someFleet,
  totalBlocks: fc.constantFrom(1, 1, 2),
  busy: fc.constantFrom(0, 0, 0, 1),
  gpuCount: fc.constantFrom(0, 4),
  price: fc.constantFrom(0, 0, 1),
  unreachable: rarely,
});
const aFleet = fc.record({
  activeCount: fc.nat(2),
  maxNodes: fc.constantFrom(null, 2, 3),
  canCreate: fc.boolean(),
});
const aGroup = fc.record({
  nodes: fc.constantFrom(1, 1, 2, 3),
  priority: fc.nat(1),
  submittedAt: fc.nat(1),
  mayCreate: rarely.map((never) => !never),
  gpuMin: fc.tuple(fc.constantFrom(0, 1), fc.constantFrom(0, 1)),
  fleets: fc.subarray([...FLEETS], { minLength: 1 }),
  offers: fc.array(fc.record({ region, price: fc.constantFrom(1, 2), usable: fc.boolean() }), { maxLength: 2 }),
});

const aScene: fc.Arbitrary<Scene> = fc
  .record({
    groups: fc.array(aGroup, { minLength: 1, maxLength: 6 }),
    instances: fc.array(anInstance, { maxLength: 6 }),
    fleets: fc.tuple(aFleet, aFleet),
  })
  .map(({ groups, instances, fleets }) => ({
    groups: groups.map(({ nodes, gpuMin, fleets: names, offers, ...rest }, index) =>
      group({
        runId: `r${index}`,
        ...rest,
        jobs: Array.from({ length: nodes }, (_node, job) => ({ id: `r${index}-${job}`, ask: job % 2 })),
        candidates: names.map((fleetId) => ({
          fleetId,
          fits: true,
          asks: gpuMin.map((min) =>
            ask({
              requirements: requirements({ gpu: { count: { min, max: null } }, memory: { min: 1, max: null } }, { multinode: nodes > 1 }),
              offers: offers.map((each) => offer({ ...each, availability: each.usable ? 'available' : 'no_quota' })),
            }),
          ),
        })),
      }),
    ),
    instances: instances.map(({ busy, gpuCount, price, totalBlocks, ...rest }, index) =>
      instance({
        ...rest,
        id: `i${index}`,
        totalBlocks,
        busyBlocks: Math.min(busy, totalBlocks),
        status: busy > 0 ? 'busy' : 'idle',
        priceUsdPerHour: price,
        instanceType: { name: 'm', resources: resources({ cpus: 16, memory_mib: 1 << 17, gpus: gpus(gpuCount) }) },
      }),
    ),
    fleets: fleets.map((each, index) => fleet({ id: FLEETS[index] ?? '', name: `fleet-${index}`, ...each })),
  })); // prettier-ignore

/** As the server does it: what exists is given away at once, then the backends are asked for those who wait. */
function pass(scene: Scene): Map<string, Verdict> {
  const first = placeGroups({ ...scene, groups: scene.groups.map(withoutOffers), absent: [] });
  const rest = scene.groups.filter((each) => first.some((verdict) => verdict.kind === 'needs-offers' && verdict.group.runId === each.runId)); // prettier-ignore
  const second = placeGroups({ ...after(scene, first), groups: rest, absent: [] });
  return new Map([...first, ...second].map((verdict) => [verdict.group.runId, verdict]));
}

function withoutOffers(each: PlacementGroup): PlacementGroup {
  const candidates = each.candidates.map((candidate) =>
    candidate.fits ? { ...candidate, asks: candidate.asks.map((asked) => ({ ...asked, offers: null })) } : candidate,
  );
  return { ...each, candidates };
}

function after(scene: Scene, verdicts: readonly Verdict[]): Omit<Scene, 'groups'> {
  const seats = placed(verdicts).flatMap((verdict) => verdict.seats.map((seat) => ({ ...seat, fleetId: verdict.fleetId }))); // prettier-ignore
  const takenOf = ({ id }: PlacementInstance): number =>
    seats.reduce((sum, seat) => sum + (seat.kind === 'reuse' && seat.instanceId === id ? seat.blocks : 0), 0);
  const createdIn = ({ id }: PlacementFleet): number =>
    seats.filter((seat) => seat.kind === 'create' && seat.fleetId === id).length;
  return {
    instances: scene.instances.map((each) => ({
      ...each,
      busyBlocks: each.busyBlocks + takenOf(each),
      status: takenOf(each) > 0 ? 'busy' : each.status,
    })),
    fleets: scene.fleets.map((each) => ({ ...each, activeCount: each.activeCount + createdIn(each) })),
  };
}

function placed(verdicts: Iterable<Verdict>): Placed[] {
  return [...verdicts].filter((verdict): verdict is Placed => verdict.kind === 'placed');
}

const kinds = (verdicts: Map<string, Verdict>) =>
  Object.fromEntries([...verdicts].map(([run, { kind }]) => [run, kind]));

/** Who goes first, by the same words as the documentation: priority, then age. */
function inTurn(groups: readonly PlacementGroup[]): PlacementGroup[] {
  return [...groups].sort(
    (a, b) => b.priority - a.priority || a.submittedAt - b.submittedAt || (a.runId < b.runId ? -1 : 1),
  );
}

const check = (property: (scene: Scene) => void) => fc.assert(fc.property(aScene, property), { numRuns: 1000 });

describe('whatever waits for whatever there is', () => {
  it('a group gets a seat for each of its jobs, or none; in the end it knows which', () =>
    check((scene) => {
      for (const verdict of pass(scene).values()) {
        expect(verdict.kind).not.toBe('needs-offers');
        if (verdict.kind !== 'placed') continue;
        expect(verdict.seats.map((seat) => seat.jobId).sort()).toEqual(verdict.group.jobs.map((job) => job.id).sort());
      }
    }));

  it('no instance and no fleet is given away twice', () =>
    check((scene) => {
      const result = after(scene, [...pass(scene).values()]);
      result.instances.forEach((each, index) => {
        const before = scene.instances[index];
        expect(each.busyBlocks).toBeLessThanOrEqual(each.totalBlocks ?? 1);
        if (before?.unreachable === true) expect(each.busyBlocks).toBe(before.busyBlocks);
      });
      result.fleets.forEach((each, index) => {
        const isGrown = each.activeCount > (scene.fleets[index]?.activeCount ?? 0);
        if (isGrown) expect(each.canCreate && each.activeCount <= (each.maxNodes ?? Infinity)).toBe(true);
      });
    }));

  it('a gang is in one fleet and one place, on machines of its own', () =>
    check((scene) => {
      for (const { group: { jobs }, fleetId, seats } of placed(pass(scene).values())) {
        if (jobs.length === 1) continue;
        expect(new Set(seats.map(({ offer: { backend, region: at } }) => `${backend} ${at}`)).size).toBe(1);
        const reused = seats.flatMap((seat) => (seat.kind === 'reuse' ? [seat.instanceId] : []));
        expect(new Set(reused).size).toBe(reused.length);
        for (const id of reused) {
          const was = scene.instances.find((each) => each.id === id);
          expect(was).toMatchObject({ fleetId, busyBlocks: 0 });
        }
      }
    })); // prettier-ignore

  it('nobody is passed over: who comes behind changes nothing for who is ahead', () =>
    check((scene) => {
      const all = kinds(pass(scene));
      const ordered = inTurn(scene.groups);
      ordered.forEach(({ runId }, index) => {
        const alone = kinds(pass({ ...scene, groups: ordered.slice(0, index + 1) }));
        expect([runId, all[runId]]).toEqual([runId, alone[runId]]);
      });
    }));

  it('whoever is refused is told why', () =>
    check((scene) => {
      for (const verdict of pass(scene).values()) {
        if (verdict.kind === 'no-capacity') expect(verdict.message).not.toBe('');
      }
    }));

  it('the order in which things are listed does not matter', () =>
    fc.assert(
      fc.property(aScene, fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 }), (scene, numbers) => {
        const shuffled = <T>(list: readonly T[]): T[] =>
          list
            .map((item, index) => ({ item, at: numbers[index] ?? 0 }))
            .sort((a, b) => a.at - b.at)
            .map(({ item }) => item);
        const other = pass({
          groups: shuffled(scene.groups),
          instances: shuffled(scene.instances),
          fleets: shuffled(scene.fleets),
        });
        const seatsOf = (verdicts: Map<string, Verdict>) =>
          Object.fromEntries([...verdicts].map(([run, verdict]) => [run, verdict.kind === 'placed' ? verdict.seats : verdict.kind])); // prettier-ignore
        expect(seatsOf(other)).toEqual(seatsOf(pass(scene)));
      }),
      { numRuns: 1000 },
    ));
});
