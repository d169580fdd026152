import type { OfferFilters } from './offer-filters.js';
import { NO_FILTERS } from './offer-filters.js';
import { matchOffer } from './match-offer.js';
import { mergeRejections, summariseRejections } from './rejection.js';
import { gpus, offer, requirements } from '../../test/planning-builders.js';

const rejections = (...args: Parameters<typeof matchOffer>) => {
  const match = matchOffer(...args);
  return match.ok ? [] : match.reasons.map((reason) => reason.text);
};
const filters = (overrides: Partial<OfferFilters>): OfferFilters => ({ ...NO_FILTERS, ...overrides });
const cpuOnly = offer();
const a100 = (count = 1, memoryGb = 80) => offer({ resources: { gpus: gpus(count, 'A100', memoryGb) } });

it.each([
  ['a run without gpu takes a machine without', cpuOnly, requirements(), []],
  [
    'a run without gpu takes one with',
    a100(),
    requirements({ gpu: { vendor: 'nvidia', count: { min: 0, max: null } } }),
    [],
  ],
  ['gpu: 0 takes a machine without', cpuOnly, requirements({ gpu: { count: { min: 0, max: 0 } } }), []],
  ['gpu: 0 refuses one with', a100(), requirements({ gpu: { count: { min: 0, max: 0 } } }), ['gpus 1 not in 0']],
  ['gpu: 0..1 takes a machine without', cpuOnly, requirements({ gpu: { count: { min: 0, max: 1 } } }), []],
  ['gpu: 0..1 refuses more', a100(2), requirements({ gpu: { count: { min: 0, max: 1 } } }), ['gpus 2 not in 0..1']],
  [
    'A100:2 is exactly two',
    a100(8),
    requirements({ gpu: { name: ['A100'], count: { min: 2, max: 2 } } }),
    ['gpus 8 not in 2'],
  ],
  ['names match in any case', a100(), requirements({ gpu: { name: ['a100'], count: { min: 1 } } }), []],
  [
    'another name does not',
    a100(),
    requirements({ gpu: { name: ['H100', 'H200'], count: { min: 1 } } }),
    ['gpu A100, not H100 or H200'],
  ],
  [
    '80GB refuses the small variant',
    a100(1, 40),
    requirements({ gpu: { memory: { min: 80, max: 80 }, count: { min: 1 } } }),
    ['gpu memory 40GB < 80GB'],
  ],
  [
    'a range of memory is per device',
    a100(2, 40),
    requirements({ gpu: { memory: { min: 40, max: 80 }, count: { min: 2 } } }),
    [],
  ],
  [
    'total memory is over all devices',
    a100(2, 40),
    requirements({ gpu: { total_memory: { min: 100 }, count: { min: 1 } } }),
    ['total gpu memory 80GB < 100GB..'],
  ],
  [
    'a missing vendor is known by the name',
    offer({ resources: { gpus: gpus(1, 'A100', 80, null) } }),
    requirements({ gpu: { vendor: 'nvidia', count: { min: 1 } } }),
    [],
  ],
  [
    'another vendor is refused',
    offer({ resources: { gpus: gpus(1, 'MI300X', 192, 'amd') } }),
    requirements({ gpu: { vendor: 'nvidia', count: { min: 0 } } }),
    ['gpu vendor amd, not nvidia'],
  ],
  [
    'compute capability is a minimum',
    a100(),
    requirements({ gpu: { compute_capability: [8, 0], count: { min: 1 } } }),
    [],
  ],
  [
    'a lower one is refused',
    a100(),
    requirements({ gpu: { compute_capability: [8, 6], count: { min: 1 } } }),
    ['compute capability 8.0 < 8.6'],
  ],
  [
    'an unknown one is refused',
    offer({ resources: { gpus: gpus(1, 'X1', 80) } }),
    requirements({ gpu: { compute_capability: [7, 0], count: { min: 1 } } }),
    ['compute capability unknown < 7.0'],
  ],
  [
    'a TPU is not judged by its memory',
    offer({ resources: { gpus: gpus(1, 'v5litepod-8', 0, 'google') } }),
    requirements({ gpu: { name: ['v5litepod-8'], memory: { min: 16 }, count: { min: 1 } } }),
    [],
  ],
  [
    'a pod of several hosts is never offered',
    offer({ resources: { gpus: gpus(1, 'v5litepod-16', 0, 'google') } }),
    requirements(),
    ['v5litepod-16 spans several hosts'],
  ],
  [
    'v4 is never offered',
    offer({ resources: { gpus: gpus(1, 'v4-8', 0, 'google') } }),
    requirements(),
    ['v4-8 spans several hosts'],
  ],
  [
    'memory is compared as it is',
    offer({ resources: { memory_mib: 7.7 * 1024 } }),
    requirements(),
    ['memory 7.7GB < 8GB..'],
  ],
  [
    'an exact memory hardly matches',
    offer({ resources: { memory_mib: 31.3 * 1024 } }),
    requirements({ memory: { min: 32, max: 32 } }),
    ['memory 31.3GB < 32GB'],
  ],
  ['cpus are counted', cpuOnly, requirements({ cpu: { count: { min: 16 } } }), ['cpus 8 < 16..']],
  [
    'an unnamed architecture is x86',
    cpuOnly,
    requirements({ cpu: { arch: 'arm', count: { min: 2 } } }),
    ['cpu x86, not arm'],
  ],
  ['a known disk is compared', cpuOnly, requirements({ disk: { size: { min: 200 } } }), ['disk 100GB < 200GB..']],
  [
    'a disk of unknown size is not',
    offer({ resources: { disk: { size_mib: 0 } } }),
    requirements({ disk: { size: { min: 200 } } }),
    [],
  ],
  [
    'the price is the whole price',
    offer({ price: 2, blocks: 1, total_blocks: 8 }),
    requirements({}, { max_price: 1 }),
    ['price $2 > $1'],
  ],
  [
    'spot is equal unless nobody cares',
    offer({ resources: { spot: true } }),
    requirements({}, { spot: false }),
    ['spot, not on-demand'],
  ],
  ['auto takes both', offer({ resources: { spot: true } }), requirements({}, { spot: null }), []],
  [
    'all reasons are told',
    offer({ price: 9, resources: { cpus: 1 } }),
    requirements({}, { max_price: 1 }),
    ['price $9 > $1', 'cpus 1 < 2..'],
  ],
] as const)('%s', (_rule, candidate, asked, expected) => {
  expect(rejections(candidate, asked)).toEqual(expected);
});

it.each([
  ['backends are a list', filters({ backends: ['gcp', 'azure'] }), ['backend aws, not gcp or azure']],
  ['regions match in any case', filters({ regions: ['US-EAST-1'] }), []],
  ['other regions do not', filters({ regions: ['eu'] }), ['region us-east-1, not eu']],
  ['types match in any case', filters({ instanceTypes: ['TYPE-1'] }), []],
  ['other types do not', filters({ instanceTypes: ['p5'] }), ['instance type type-1, not p5']],
  ['an offer must say its zones', filters({ availabilityZones: ['a'] }), ['zone unknown, not a']],
  [
    'volumes bind to their place',
    filters({ volumeLocations: [{ backend: 'aws', region: 'eu', zone: null }] }),
    ['aws us-east-1, but the volumes are in aws eu'],
  ],
  [
    'any place of the alternatives will do',
    filters({
      volumeLocations: [
        { backend: 'gcp', region: 'x', zone: null },
        { backend: 'aws', region: 'us-east-1', zone: 'a' },
      ],
    }),
    [],
  ],
  ['a feature the backend has', filters({ features: ['multinode', 'reservation'] }), []],
  ['a feature it has not', filters({ features: ['group-provisioning'] }), ['backend aws has no group provisioning']],
])('%s', (_rule, limits, expected) => expect(rejections(cpuOnly, requirements(), limits)).toEqual(expected));

it('narrows the zones to those asked for', () => {
  const match = matchOffer(
    offer({ availability_zones: ['a', 'b', 'c'] }),
    requirements(),
    filters({ availabilityZones: ['c', 'b'] }),
  );
  expect(match.ok && match.offer.availability_zones).toEqual(['b', 'c']);
});

it('lets an existing instance of unknown zone pass', () => {
  expect(rejections(offer({ instance_id: 'i' }), requirements(), filters({ availabilityZones: ['a'] }))).toEqual([]);
});

it('finds this machine under its own name and the one it has on the wire', () => {
  const local = offer({ backend: 'local' });
  expect(rejections(local, requirements(), filters({ backends: ['remote'] }))).toEqual([]);
  expect(rejections(local, requirements(), filters({ backends: ['local'] }))).toEqual([]);
  expect(rejections(local, requirements(), filters({ backends: ['aws'] }))).toHaveLength(1);
});

it.each([
  ['the smallest that was asked for', { min: 200, max: null }, { min: 50, max: 1000 }, 200],
  ['the smallest the backend gives', { min: 10, max: null }, { min: 50, max: 1000 }, 50],
  ['100 GB when nothing was asked for', null, { min: 50, max: 1000 }, 100],
])('chooses a disk: %s', (_rule, size, range, expected) => {
  const elastic = offer({ disk_range_gb: range, resources: { disk: { size_mib: 0 } } });
  const match = matchOffer(elastic, requirements({ disk: size === null ? null : { size } }));
  expect(match.ok && match.offer.instance.resources.disk).toEqual({ size_mib: expected * 1024 });
  expect(elastic.instance.resources.disk).toEqual({ size_mib: 0 });
});

it('refuses a disk the backend cannot give', () => {
  const elastic = offer({ disk_range_gb: { min: 50, max: 100 }, resources: { disk: { size_mib: 0 } } });
  expect(rejections(elastic, requirements({ disk: { size: { min: 200 } } }))).toEqual([
    'disk 50GB..100GB has nothing in 200GB..',
  ]);
});

it('counts why a plan is empty', () => {
  const reasons = [offer({ price: 9 }), offer({ price: 8, resources: { cpus: 1 } }), offer({ price: 7 })].map(
    (each) => {
      const match = matchOffer(each, requirements({}, { max_price: 1 }));
      return match.ok ? [] : match.reasons;
    },
  );
  expect(summariseRejections(reasons)).toEqual([
    { code: 'price', count: 3, example: 'price $9 > $1' },
    { code: 'cpu-count', count: 1, example: 'cpus 1 < 2..' },
  ]);
});

it('merges the reasons of several fleets', () => {
  const summary = (code: 'price' | 'memory', count: number, example: string) => ({ code, count, example });
  expect(mergeRejections([summary('memory', 1, 'a'), summary('price', 1, 'b'), summary('price', 2, 'c')])).toEqual([
    summary('price', 3, 'b'),
    summary('memory', 1, 'a'),
  ]);
});

describe('the zones of an offer', () => {
  const at = (zone: string | null) => filters({ volumeLocations: [{ backend: 'aws', region: 'us-east-1', zone }] });
  const zones = (given: readonly string[] | null, limits: OfferFilters, more: object = {}) => {
    const match = matchOffer(
      offer({ availability_zones: given === null ? null : [...given], ...more }),
      requirements(),
      limits,
    );
    return match.ok ? match.offer.availability_zones : match.reasons.map(({ text }) => text);
  };

  it('are those of the volumes', () => expect(zones(['a', 'b'], at('b'))).toEqual(['b']));
  it('are all where the volumes can be in any', () => expect(zones(['a', 'b'], at(null))).toEqual(['a', 'b']));
  it('are those of the volumes where it names none', () => expect(zones(null, at('b'))).toEqual(['b']));
  it('stay unknown of a machine that is there', () => expect(zones(null, at('b'), { instance_id: 'i' })).toBeNull());
  it('are none where the volumes are in another', () =>
    expect(zones(['a'], at('b'))).toEqual(['aws a, but the volumes are in aws b']));
});

it.each([
  ['x86', null, []],
  ['arm', ['x86', 'arm'] as const, []],
  ['arm', ['x86'] as const, ['this server has no agent for arm, only for x86']],
] as const)('a machine of %s needs an agent for it: %s', (arch, agentArchs, expected) => {
  const machine = offer({ resources: { cpu_arch: arch } });
  expect(rejections(machine, requirements(), filters({ agentArchs }))).toEqual(expected);
});

it.each([
  ['containers that differ', 'runner', 'its nodes have different images', 2, ['the containers of a cluster start alike: its nodes have different images']],
  ['containers that are alike', 'runner', null, 2, []],
  ['hosts, which run what they are given', 'shim', 'its nodes have different images', 2, []],
  ['too many nodes', 'runner', null, 9, ['type-1 is made of several machines at once: a task has them with nodes: 2..8']],
] as const)('machines that are made by one call are for nodes of %s', (_what, runtime, unlikeNodes, nodes, expected) => {
  const cluster = offer({ group_nodes: { min: 2, max: 8 }, instance_runtime: runtime });
  expect(rejections(cluster, requirements(), filters({ nodes, unlikeNodes }))).toEqual(expected);
}); // prettier-ignore
