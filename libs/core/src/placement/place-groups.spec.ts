import { describe, expect, it } from '@jest/globals';
import { ask, fleet, group, instance, offer, requirements, resources, gpus } from '../../test/placement-builders.js';
import { explanationLines } from './explanation-lines.js';
import { placeGroups } from './place-groups.js';
import type { AbsentInstance, PlacementGroup, PlacementInstance } from './placement-input.js';

type Fleets = ReturnType<typeof fleet>[];

function decide(groups: PlacementGroup[], instances: PlacementInstance[] = [], fleets: Fleets = [fleet()], absent: AbsentInstance[] = []) {
  return placeGroups({ groups, instances, fleets, absent });
} // prettier-ignore

function place(groups: PlacementGroup[], instances: PlacementInstance[] = [], fleets: Fleets = [fleet()]): string[] {
  return decide(groups, instances, fleets).map((verdict) => {
    if (verdict.kind !== 'placed') return verdict.kind === 'no-capacity' ? `no: ${verdict.message}` : verdict.kind;
    return verdict.seats
      .map((seat) => `${seat.jobId} ${seat.kind === 'reuse' ? `on ${seat.instanceId}` : `new in ${verdict.fleetId}`}`)
      .sort()
      .join(', ');
  });
}

const two = ['a', 'b'];
const cheap = instance({ id: 'cheap', priceUsdPerHour: 0.5 });
const offered = [ask({ offers: [offer({ price: 3 }), offer({ price: 2 })] })];
const gang = (over: Parameters<typeof group>[0] = {}) =>
  group({ jobIds: two, asks: [ask({ requirements: requirements({}, { multinode: true }) })], ...over });
const gangOffered = (...offers: ReturnType<typeof offer>[]) => [
  ask({ requirements: requirements({}, { multinode: true }), offers }),
];

describe('machines that are made together', () => {
  const slice = (price: number) => offer({ price, group_nodes: { min: 2, max: 2 } });
  const pricesOf = (groups: PlacementGroup[], instances: PlacementInstance[] = []) =>
    decide(groups, instances).map((verdict) =>
      verdict.kind === 'placed' ? verdict.seats.map((seat) => `${seat.kind} ${seat.offer.price}`) : verdict.kind,
    );
  const same = [ask({ requirements: requirements({}, { multinode: true }), offers: [slice(1), offer({ price: 2 })] })];
  const other = ask({ requirements: requirements({}, { multinode: true }), offers: [offer({ price: 2 })] });
  it.each<[string, unknown, unknown]>([
    ['are for all nodes when they cost less', pricesOf([gang({ asks: same })]), [['create 1', 'create 1']]],
    ['are not taken when others cost less', pricesOf([gang({ asks: gangOffered(slice(3), offer({ price: 2 })) })]), [['create 2', 'create 2']]],
    ['are taken where nothing else is offered', pricesOf([gang({ asks: gangOffered(slice(3)) })]), [['create 3', 'create 3']]],
    ['are not for a part of the nodes', pricesOf([gang({ asks: same })], [instance({ priceUsdPerHour: 0 })]), [['reuse 0', 'create 2']]],
    ['are what each of the nodes is offered', pricesOf([gang({ jobs: [{ id: 'a', ask: 0 }, { id: 'b', ask: 1 }], asks: [...same, other] })]), [['create 2', 'create 2']]],
  ])('%s', (_rule, actual, expected) => expect(actual).toEqual(expected)); // prettier-ignore
});

describe('a single job', () => {
  it.each<[string, string[], string[]]>([
    ['uses an idle instance before anything is asked', place([group()], [instance()]), ['j on i']],
    ['asks the backends without one', place([group()]), ['needs-offers']],
    ['creates what they offer', place([group({ asks: offered })]), ['j new in f']],
    ['takes the cheaper instance', place([group()], [instance(), cheap]), ['j on cheap']],
    ['gets an instance that is given away once', place([group(), group({ jobIds: ['k'] })], [instance()]), ['j on i', 'needs-offers']],
    ['goes first with a higher priority', place([group(), group({ jobIds: ['k'], priority: 1, submittedAt: 2 })], [instance()]), ['k on i', 'needs-offers']],
    ['goes first when it is older', place([group({ submittedAt: 5 }), group({ jobIds: ['k'] })], [instance()]), ['k on i', 'needs-offers']],
    ['creates nothing in a full fleet', place([group({ asks: offered })], [], [fleet({ activeCount: 2, maxNodes: 2 })]), ['no: Fleet is at capacity: fleet pool: has 2 of at most 2 nodes']],
    ['creates nothing when it only reuses', place([group({ mayCreate: false })]), ['no: fleet pool: nothing is created, as creation_policy is reuse']],
    ['needs a fleet', place([group({ candidates: [] })]), ['no: No matching fleet found']],
    ['needs a fleet that exists', place([group({ candidates: [], unknownFleets: ['labb'] })]), ['no: Failed to use specified fleets: fleet labb: does not exist']],
    ['is told the conflict with the fleet', place([group({ candidates: [{ fleetId: 'f', fits: false, because: 'spot policy' }] })]), ['no: No matching fleet found: fleet pool: spot policy']],
    ['cannot use offers without quota', place([group({ asks: [ask({ offers: [offer({ availability: 'no_quota' })], offersNotes: ['aws: no quota'] })] })]), ['no: aws: no quota']],
    ['uses only the instances it names', place([group({ onlyInstanceIds: ['other'] })], [instance()]), ['no: Failed to use specified instances']],
    ['stays in the place of a cluster', place([group({ asks: [ask({ offers: [offer()] })] })], [], [fleet({ anchor: { backend: 'aws', region: 'us' } })]), ['no: no offers for fleet pool']],
  ])('%s', (_rule, actual, expected) => expect(actual).toEqual(expected)); // prettier-ignore

  const half = { totalBlocks: 2, priceUsdPerHour: 0 };
  const big = instance({ id: 'big', instanceType: { name: 'big', resources: resources({ cpus: 8, gpus: gpus(8) }) } });
  it.each<[string, PlacementInstance[], string]>([
    ['the fuller machine', [instance({ id: 'empty', ...half }), instance({ id: 'half', ...half, status: 'busy', busyBlocks: 1 })], 'half'],
    ['the fullest of three', [1, 3, 2].map((busyBlocks) => instance({ id: `i${busyBlocks}`, status: 'busy', totalBlocks: 4, busyBlocks, instanceType: { name: 'm', resources: resources({ cpus: 32, memory_mib: 1 << 17 }) } })), 'i3'],
    ['a machine without GPUs when it asks for none', [big, instance({ id: 'plain', priceUsdPerHour: 1 })], 'plain'],
    ['the smaller machine', [instance({ id: 'large', instanceType: { name: 'l', resources: resources({ cpus: 64 }) } }), instance({ id: 'small' })], 'small'],
  ])('prefers %s', (_rule, instances, expected) => expect(place([group()], instances)).toEqual([`j on ${expected}`])); // prettier-ignore
});

describe('the best fleet', () => {
  const fleets = [fleet({ id: 'f1', name: 'one' }), fleet({ id: 'f2', name: 'two' })];
  const idle = (fleetId: string, ...prices: number[]) =>
    prices.map((priceUsdPerHour, n) => instance({ id: `${fleetId}-${n}`, fleetId, priceUsdPerHour }));
  const wants = (offers: number[][], jobs = ['j'], multinode = false) =>
    group({
      jobIds: jobs,
      candidates: ['f1', 'f2'].map((fleetId, index) => ({
        fleetId,
        fits: true,
        asks: [ask({ requirements: requirements({}, { multinode }), offers: (offers[index] ?? []).map((price) => offer({ price })) })],
      })),
    }); // prettier-ignore
  it.each([
    ['has capacity at hand', [wants([[1], []])], idle('f2', 5), 'j on f2-0'],
    ['has the cheapest idle instance', [wants([])], [...idle('f1', 5), ...idle('f2', 3)], 'j on f2-0'],
    ['has enough of them', [wants([], two, true)], [...idle('f1', 1), ...idle('f2', 9, 9)], 'a on f2-0, b on f2-1'],
    ['creates the cheapest', [wants([[3], [2]])], [], 'j new in f2'],
    ['comes first of equal ones', [wants([[2], [2]])], [], 'j new in f1'],
  ])('%s', (_rule, groups, instances, best) => expect(place(groups, instances, fleets)).toEqual([best]));
});

describe('a gang', () => {
  const at = (id: string, region: string, more: Partial<PlacementInstance> = {}) => instance({ id, region, ...more });
  it.each<[string, string[], string[]]>([
    ['is seated whole', place([gang()], [instance(), instance({ id: 'i2' })]), ['a on i, b on i2']],
    ['or not at all', place([gang({ mayCreate: false })], [instance()]), ['no: fleet pool: 2 machines needed at once in one place, 1 of them free; fleet pool: nothing is created, as creation_policy is reuse']],
    ['has the rest created', place([gang({ asks: gangOffered(offer()) })], [instance()]), ['a on i, b new in f']],
    ['is in one region', place([gang({ mayCreate: false })], [at('i', 'eu'), at('k', 'us')]), ['no: fleet pool: 2 machines needed at once in one place, 1 of them free; fleet pool: nothing is created, as creation_policy is reuse']],
    ['takes the region that can hold all, though another is cheaper', place([gang()], [at('x', 'eu', { priceUsdPerHour: 0.1 }), at('y', 'us'), at('z', 'us')]), ['a on y, b on z']],
    ['has the rest created in the region of the first', place([gang({ asks: gangOffered(offer({ region: 'us', price: 0.1 }), offer({ price: 5 })) })], [instance()]), ['a on i, b new in f']],
    ['leaves a machine alone when the rest cannot be there', place([gang({ asks: gangOffered(offer({ region: 'us' })) })], [instance()]), ['a new in f, b new in f']],
    ['wants whole machines', place([gang({ mayCreate: false })], [instance(), instance({ id: 'k', status: 'busy', totalBlocks: 2, busyBlocks: 1 })]), ['no: instance pool-0: the whole machine is needed, 1 of 2 blocks are in use; fleet pool: 2 machines needed at once in one place, 1 of them free; fleet pool: nothing is created, as creation_policy is reuse']],
    ['of two that each find half, the first gets it', place([gang({ runId: 'r1', mayCreate: false }), gang({ runId: 'r2', jobIds: ['c', 'd'], mayCreate: false })], [instance(), instance({ id: 'i2' })]).map((text) => text.slice(0, 14)), ['a on i, b on i', 'no: instance p']],
    ['does not grow a fleet beyond its end', place([gang({ asks: gangOffered(offer()) })], [instance()], [fleet({ activeCount: 1, maxNodes: 1 })]), ['no: Fleet is at capacity: fleet pool: 2 machines needed at once in one place, 1 of them free; fleet pool: has 1 of at most 1 nodes']],
  ])('%s', (_rule, actual, expected) => expect(actual).toEqual(expected)); // prettier-ignore

  it('whose nodes want different machines finds the one way to seat them all', () => {
    const cpu = ask({ requirements: requirements({}, { multinode: true }) });
    const gpu = ask({ requirements: requirements({ gpu: { count: { min: 1, max: null } } }, { multinode: true }) });
    const withGpu = instance({ id: 'gpu', priceUsdPerHour: 0.1, instanceType: { name: 'g', resources: resources({ gpus: gpus(1) }) } }); // prettier-ignore
    const seats = place([group({ jobIds: two, asks: [cpu, gpu] })], [withGpu, instance({ id: 'plain' })]);
    expect(seats).toEqual(['a on plain, b on gpu']);
    expect(place([group({ jobIds: two, asks: [cpu, gpu], mayCreate: false })], [instance()])[0]).toContain('no: ');
  });

  it('keeps what it could use while the backends are asked: nobody behind it takes it', () => {
    const behind = group({ jobIds: ['k'], submittedAt: 2 });
    expect(place([gang(), behind], [instance()])).toEqual(['needs-offers', 'needs-offers']);
    expect(place([gang(), behind], [instance(), instance({ id: 'i2' }), instance({ id: 'i3' })])).toEqual([
      'a on i, b on i2',
      'k on i3',
    ]);
    const reusing = group({ jobIds: ['k'], submittedAt: 2, mayCreate: false });
    expect(place([gang(), reusing], [instance()])).toEqual(['needs-offers', 'needs-offers']);
  });

  it('keeps what it found itself while it waits for what another one keeps', () => {
    const withGpu = instance({ id: 'gpu', instanceType: { name: 'g', resources: resources({ gpus: gpus(1) }) } });
    const wantsGpus = { gpu: { count: { min: 1, max: null } } };
    const first = gang({ asks: [ask({ requirements: requirements(wantsGpus, { multinode: true }) })] });
    const second = gang({ jobIds: ['c', 'd'], submittedAt: 2, mayCreate: false });
    const third = group({ jobIds: ['k'], submittedAt: 3 });
    expect(place([first, second, third], [withGpu, instance()])).toEqual(Array(3).fill('needs-offers'));
  });
});

describe('a refusal', () => {
  const lines = (groups: PlacementGroup[], instances: PlacementInstance[], absent: AbsentInstance[] = []): string[] => {
    const verdict = decide(groups, instances, [fleet({ canCreate: false, name: 'lab' })], absent).at(-1);
    return verdict?.kind === 'no-capacity' ? explanationLines(verdict.explanation) : [verdict?.kind ?? ''];
  };
  const host = (n: number, more: Partial<PlacementInstance> = {}) =>
    instance({ id: `h${n}`, name: `lab-${n}`, backend: 'remote', region: 'remote', instanceType: { name: 'instance', resources: resources({ cpus: 64, gpus: gpus(8), memory_mib: 1 << 19 }) }, ...more }); // prettier-ignore
  const wants = (gpuCount: number, more: Parameters<typeof group>[0] = {}) =>
    group({ asks: [ask({ requirements: requirements({ gpu: { count: { min: gpuCount, max: null } } }) })], ...more });
  const busy = { status: 'busy', totalBlocks: 8, busyBlocks: 7, holders: [{ runName: 'train', userName: 'alice' }] } as const; // prettier-ignore

  it('says of each host what is in the way, and what would free it', () => {
    const instances = [
      host(0, busy),
      host(1, { unreachableSince: Date.UTC(2026, 10, 25, 10, 32), unreachable: true }),
      host(3, { health: 'failure', healthIncidents: ['GPU 3 has fallen off the bus'] }),
      host(10, { instanceType: { name: 'i', resources: resources() } }),
      host(9, { instanceType: { name: 'i', resources: resources() } }),
    ];
    const absent = [{ fleetId: 'f', name: 'lab-2', isHost: true, because: 'being removed' }];
    expect(lines([wants(2)], instances, absent)).toEqual([
      'host lab-0: 2 gpus needed, 1 of 8 free',
      'would fit after run train (alice): lab-0',
      'host lab-1: unreachable since 2026-11-25 10:32 UTC',
      'host lab-2: being removed',
      'host lab-3: health: GPU 3 has fallen off the bus',
      'hosts lab-9, lab-10: gpus 0 not in 2..',
    ]);
  });

  it('names who took it in the same pass', () => {
    const first = wants(1, { runId: 'r1', runName: 'first', userName: 'bob' });
    expect(lines([first, wants(1, { jobIds: ['k'], submittedAt: 2 })], [host(0)])).toEqual([
      'host lab-0: busy',
      'would fit after run first (bob): lab-0',
    ]);
  });

  it('is bounded, however many hosts there are', () => {
    const many = Array.from({ length: 60 }, (_, n) => host(n, { ...busy, holders: [{ runName: `run-${n}`, userName: 'x' }] })); // prettier-ignore
    const told = lines([wants(2)], many);
    expect(told).toHaveLength(20);
    expect(told[0]).toBe('hosts lab-0, lab-1, lab-2 and 57 more: 2 gpus needed, 1 of 8 free');
    expect(told.at(-1)).toBe('and more');
  });

  it('tells what an event that frees capacity must be about', () => {
    const of = (...args: Parameters<typeof decide>) => {
      const [verdict] = decide(...args);
      return verdict?.kind === 'no-capacity' ? verdict.explanation : null;
    };
    const full = of([group({ asks: offered })], [], [fleet({ activeCount: 1, maxNodes: 1 })]);
    expect(full).toMatchObject({ fullFleetIds: ['f'], thisMachineIsFull: false });
    const local = offer({ backend: 'local', availability: 'not_available' });
    expect(of([group({ asks: [ask({ offers: [local] })] })])).toMatchObject({ fullFleetIds: [], thisMachineIsFull: true });
  }); // prettier-ignore
});
