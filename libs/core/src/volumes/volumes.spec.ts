import { mountProblems, placeOfMountProblem } from './mount-problem.js';
import { networkMounts } from './network-mounts.js';
import { availabilityOf, volumesAt } from './seat-volumes.js';
import { volumeCostUsd } from './volume-cost.js';
import type { VolumeFact, VolumeHolder } from './volume-fact.js';

const fact = (name: string, given: Partial<VolumeFact> = {}): VolumeFact => ({
  id: `id-${name}`,
  name,
  status: 'active',
  statusMessage: null,
  deletionRequested: false,
  backend: 'aws',
  region: 'us-east-1',
  zone: 'us-east-1a',
  attachable: true,
  holders: [],
  ...given,
});
const holder = (given: Partial<VolumeHolder> = {}): VolumeHolder => ({
  instanceName: 'pool-0',
  runName: 'train',
  isLeaving: false,
  ...given,
});
const byName = (...facts: readonly VolumeFact[]) => new Map(facts.map((each) => [each.name, each]));
const mounts = (...names: (string | readonly string[])[]) =>
  names.map((name, index) => ({ names: typeof name === 'string' ? [name] : name, path: `/m${index}` }));

it('takes network volumes out of the mounts of a job', () => {
  const given = [{ name: 'a', path: '/a' }, { name: ['b', 'c'], path: '/b' }, { instance_path: '/x', path: '/x', optional: false }]; // prettier-ignore
  expect(networkMounts(given)).toEqual([
    { names: ['a'], path: '/a' },
    { names: ['b', 'c'], path: '/b' },
  ]);
});

describe('what a run may name', () => {
  const west = fact('west', { region: 'us-west-2', zone: 'us-west-2a' });
  it.each([
    ['volumes that are there', [mounts('a', 'b')], byName(fact('a'), fact('b')), null],
    ['one that is being made', [mounts('a')], byName(fact('a', { status: 'provisioning' })), null],
    ['one that is in use: it may come free', [mounts('a')], byName(fact('a', { holders: [holder()] })), null],
    [
      'one of several, some of which failed',
      [mounts(['a', 'b'])],
      byName(fact('a', { status: 'failed' }), fact('b')),
      null,
    ],
    [
      'several regions that all mounts have',
      [mounts(['a', 'west'], ['b', 'west2'])],
      byName(fact('a'), west, fact('b'), { ...west, name: 'west2' }),
      null,
    ],
    ['one that is not there', [mounts('a')], byName(), /Volume a does not exist/],
    [
      'one that failed',
      [mounts('a')],
      byName(fact('a', { status: 'failed', statusMessage: 'quota' })),
      /Volume a failed: quota/,
    ],
    [
      'one that is being deleted',
      [mounts('a')],
      byName(fact('a', { deletionRequested: true })),
      /Volume a is being deleted/,
    ],
    ['one at two places', [mounts('a', 'a')], byName(fact('a')), /Volume a is mounted twice/],
    [
      'different regions',
      [mounts('a', 'west')],
      byName(fact('a'), west),
      /\/m0 is in aws us-east-1, \/m1 in aws us-west-2/,
    ],
    [
      'one for two machines',
      [mounts('a'), mounts('a')],
      byName(fact('a')),
      /2 jobs of this run mount it. Name one for each: a-\$\{\{ dstack.node_rank \}\}/,
    ],
    ['one for each machine', [mounts('a'), mounts('b')], byName(fact('a'), fact('b')), null],
    [
      'one for two machines where several may bind it',
      [mounts('a'), mounts('a')],
      byName(fact('a', { attachable: false })),
      null,
    ],
  ])('%s', (_what, jobs, volumes, problem) => {
    const told = mountProblems(jobs, volumes).map(({ message }) => message);
    expect(told).toEqual(problem === null ? [] : [expect.stringMatching(problem)]);
  });

  it.each([
    ['each volume that is missing', [mounts('a', ['b', 'c'], 'd')], byName(fact('a')), [[1, 0], [1, 1], [2, 0]]],
    ['one that all jobs miss, once', [mounts('a'), mounts('a')], byName(), [[0, 0]]],
    ['one of each job', [mounts('a0'), mounts('a1')], byName(), [[0, 0], [0, 0]]],
    ['the mount whose volumes are all lost', [mounts('a', ['b', 'c'])], byName(fact('a'), fact('b', { deletionRequested: true }), fact('c', { status: 'failed' })), [[1, null]]],
    ['the second mention', [mounts('a', ['b', 'a'])], byName(fact('a'), fact('b')), [[1, 1]]],
    ['the mount that is elsewhere', [mounts('a', 'a2', 'west')], byName(fact('a'), fact('a2'), west), [[2, null]]],
    ['what two machines share', [mounts('x', 'a'), mounts('y', 'a')], byName(fact('x'), fact('y'), fact('a')), [[1, 0]]],
  ])('names %s', (_what, jobs, volumes, places) => {
    expect(mountProblems(jobs, volumes).map(({ mount, name }) => [mount, name])).toEqual(places);
  }); // prettier-ignore

  it.each([
    [{ mount: 0, name: 0 }, [1, 'name']],
    [{ mount: 1, name: 1 }, [2, 'name', 1]],
    [{ mount: 1, name: null }, [2, 'name']],
  ])('is found in the configuration: %j', (problem, place) => {
    const given = [{ instance_path: '/x', path: '/x', optional: false }, { name: 'a', path: '/a' }, { name: ['b', 'c'], path: '/b' }]; // prettier-ignore
    expect(placeOfMountProblem(given, { ...problem, message: '' })).toEqual(place);
  });
});

describe('what can be had now', () => {
  it.each([
    ['nothing is asked for', mounts(), byName(), { kind: 'free', locations: null }],
    [
      'a free volume',
      mounts('a'),
      byName(fact('a')),
      { kind: 'free', locations: [{ backend: 'aws', region: 'us-east-1', zone: 'us-east-1a' }] },
    ],
    [
      'a volume being made',
      mounts('a'),
      byName(fact('a', { status: 'submitted' })),
      { kind: 'wait', because: 'volume a is being created' },
    ],
    [
      'a volume that is leaving',
      mounts('a'),
      byName(fact('a', { holders: [holder({ isLeaving: true })] })),
      { kind: 'wait', because: 'volume a is being detached from pool-0' },
    ],
    [
      'a volume in use',
      mounts('a'),
      byName(fact('a', { holders: [holder()] })),
      { kind: 'refused', because: 'volume a is used by run train on pool-0, and can be at one machine at a time' },
    ],
    [
      'a volume that leaves a machine for the next one of its run',
      mounts('a'),
      byName(fact('a', { holders: [holder({ isLeaving: true }), holder({ instanceName: 'pool-1' })] })),
      { kind: 'refused', because: 'volume a is used by run train on pool-1, and can be at one machine at a time' },
    ],
    [
      'a volume in use that several may bind',
      mounts('a'),
      byName(fact('a', { attachable: false, holders: [holder()] })),
      { kind: 'free' },
    ],
    [
      'another one instead',
      mounts(['a', 'b']),
      byName(fact('a', { holders: [holder()] }), fact('b')),
      { kind: 'free' },
    ],
    [
      'different zones',
      mounts('a', 'b'),
      byName(fact('a'), fact('b', { zone: 'us-east-1b' })),
      { kind: 'refused', because: 'volumes a, b are in different zones: no machine can have all of them' },
    ],
    [
      'a zone and a region',
      mounts('a', 'b'),
      byName(fact('a', { zone: null }), fact('b')),
      { kind: 'free', locations: [{ zone: 'us-east-1a' }] },
    ],
  ])('%s', (_what, wanted, volumes, expected) => {
    expect(availabilityOf(wanted, volumes)).toMatchObject(expected);
  });
});

describe('the volumes at a place', () => {
  const all = byName(fact('a'), fact('b', { zone: 'us-east-1b' }), fact('x'), fact('y', { zone: 'us-east-1b' }));
  const names = (zones: readonly string[] | null, region = 'us-east-1') =>
    volumesAt(mounts(['a', 'b'], ['x', 'y']), all, { backend: 'aws', region, zones })?.map(
      ({ volume, path }) => `${volume.name}:${path}`,
    );

  it('are all in one zone of it', () => {
    expect(names(['us-east-1b', 'us-east-1c'])).toEqual(['b:/m0', 'y:/m1']);
    expect(names(null)).toEqual(['a:/m0', 'x:/m1']);
  });
  it('are none where there are none', () => {
    expect(names(['us-east-1c'])).toBeUndefined();
    expect(names(null, 'eu-west-1')).toBeUndefined();
    expect(volumesAt([], all, { backend: 'aws', region: 'eu-west-1', zones: null })).toEqual([]);
  });
});

it.each([
  ['nothing before it is there', { priceUsdPerMonth: 8, activeAt: null, deletedAt: null }, 0],
  ['a month of thirty days', { priceUsdPerMonth: 8, activeAt: 0, deletedAt: 30 * 24 * 3_600_000 }, 8],
  ['until now', { priceUsdPerMonth: 8, activeAt: 0, deletedAt: null }, 4],
  ['nothing where nobody knows the price', { priceUsdPerMonth: null, activeAt: 0, deletedAt: null }, 0],
])('a volume costs %s', (_what, volume, usd) => {
  expect(volumeCostUsd(volume, 15 * 24 * 3_600_000)).toBe(usd);
});
