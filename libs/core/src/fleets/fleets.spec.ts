import { filtersOfProfile } from '../offers/offer-filters.js';
import type * as Wire from '../wire/generated/api.js';
import { gpus, offer, requirements } from '../../test/planning-builders.js';
import { combineFleetAndRun, combineIdleSeconds } from './combine-fleet-and-run.js';
import { fitsFleet, fleetAsk, type FleetMachine } from './fits-fleet.js';
import { matchOffer } from '../offers/match-offer.js';
import { checkFleetUpdate } from './update-fleet.js';

const fleet = (configuration: Wire.FleetConfiguration = {}, profile: Wire.Profile = {}): Wire.FleetSpec => ({
  configuration: { type: 'fleet', nodes: { min: 0, max: null }, ...configuration },
  profile,
});
const run = (profile: Wire.Profile = {}, asked = requirements({}, { spot: false })) => ({
  profile,
  requirements: asked,
});
const combine = (spec: Wire.FleetSpec, ask = run()) => {
  const result = combineFleetAndRun(spec, ask);
  return result.ok ? result.value : result.conflict;
};
const resources = (spec: Partial<Wire.ResourcesSpec>, ask: Partial<Wire.ResourcesSpec>) => {
  const result = combine(fleet({ resources: spec }), run({}, requirements(ask, { spot: false })));
  return typeof result === 'string' ? result : result.requirements.resources;
};

describe('a fleet and a run', () => {
  it.each([
    ['backends', { backends: ['aws', 'gcp'] }, { backends: ['gcp', 'azure'] }, { backends: ['gcp'] }],
    ['one side only', { backends: ['aws'] }, {}, { backends: ['aws'] }],
    ['the other side only', {}, { regions: ['eu'] }, { regions: ['eu'] }],
    ['regions in any case', { regions: ['eu-west-1'] }, { regions: ['EU-WEST-1'] }, { regions: ['eu-west-1'] }],
    ['tags', { tags: { a: '1', b: '1' } }, { tags: { b: '2' } }, { tags: { a: '1', b: '2' } }],
    ['idle durations', { idle_duration: 600 }, { idle_duration: 60 }, { idle_duration: 60 }],
  ] as const)('share %s', (_what, ofFleet, ofRun, expected) => {
    const copy = <T>(value: unknown): T => structuredClone(value) as T;
    expect(combine(fleet(copy(ofFleet)), run(copy(ofRun)))).toMatchObject({ profile: expected });
  });

  it.each([
    ['backends', { backends: ['aws'] }, { backends: ['gcp'] }, 'backends: the fleet has aws, the run asks for gcp'],
    [
      'zones',
      { availability_zones: ['a'] },
      { availability_zones: ['A'] },
      'availability zones: the fleet has a, the run asks for A',
    ],
  ] as const)('may have no %s in common', (_what, ofFleet, ofRun, conflict) => {
    const copy = <T>(value: unknown): T => structuredClone(value) as T;
    expect(combine(fleet(copy(ofFleet)), run(copy(ofRun)))).toBe(conflict);
  });

  it.each([
    ['on-demand by default', {}, false, false],
    ['auto yields to the run', { spot_policy: 'auto' }, true, true],
    ['auto and auto', { spot_policy: 'auto' }, null, null],
    ['auto of the run yields', { spot_policy: 'spot' }, null, true],
    ['both spot', { spot_policy: 'spot' }, true, true],
    [
      'spot against on-demand',
      { spot_policy: 'spot' },
      false,
      'spot policy: the fleet has spot, the run asks for on-demand',
    ],
    ['default against spot', {}, true, 'spot policy: the fleet has on-demand, the run asks for spot'],
  ] as const)('spot: %s', (_rule, ofFleet, spot, expected) => {
    const result = combine(fleet(ofFleet), run({}, requirements({}, { spot })));
    expect(typeof result === 'string' ? result : result.requirements.spot).toBe(expected);
  });

  it('takes the lower price, and the reservation of either', () => {
    const ask = run({}, requirements({}, { spot: false, max_price: 3 }));
    expect(combine(fleet({ max_price: 2, reservation: 'r' }), ask)).toMatchObject({
      requirements: { max_price: 2, reservation: 'r' },
      profile: { max_price: 2 },
    });
    expect(combine(fleet({ reservation: 'a' }), run({}, requirements({}, { spot: false, reservation: 'b' })))).toBe(
      'reservation: the fleet has a, the run asks for b',
    );
  });

  it('falls back to the profile of the fleet', () => {
    expect(combine(fleet({}, { max_price: 4 }))).toMatchObject({ requirements: { max_price: 4 } });
  });

  it('takes the stricter backend options', () => {
    const options = (min_reliability: number | null, offer_order?: 'score' | 'price') => [
      { type: 'vastai' as const, min_reliability, ...(offer_order ? { offer_order } : {}) },
    ];
    const ask = (own: Wire.VastAIProfileOptions[]) => run({}, requirements({}, { spot: false, backend_options: own }));
    expect(combine(fleet({ backend_options: options(0.9) }), ask(options(0.95)))).toMatchObject({
      requirements: { backend_options: [{ min_reliability: 0.95 }] },
    });
    expect(combine(fleet({ backend_options: options(null, 'score') }), ask(options(null, 'price')))).toBe(
      'vastai offer_order: the fleet has score, the run asks for price',
    );
  });

  it('several nodes need a cluster, or the default fleet', () => {
    const ask = run({}, requirements({}, { spot: false, multinode: true }));
    expect(combine(fleet(), ask)).toBe('several nodes need a fleet with `placement: cluster`');
    expect(combine(fleet({ placement: 'cluster' }), ask)).toMatchObject({ requirements: { multinode: true } });
    expect(combine({ ...fleet(), autocreated: true }, ask)).toMatchObject({ requirements: { multinode: true } });
  });

  it.each([
    [600, 60, 60],
    [-1, 60, 60],
    [600, -1, 600],
    [-1, -1, -1],
    [null, 60, 60],
    [600, null, 600],
    [null, null, null],
    [0, 60, 0],
  ])('idle for %s and %s is %s', (ofFleet, ofRun, expected) =>
    expect(combineIdleSeconds(ofFleet, ofRun)).toBe(expected),
  );
});

describe('resources of a fleet and a run', () => {
  it('a fleet without resources asks nothing', () => {
    const result = combine(fleet());
    expect(typeof result === 'string' ? result : result.requirements.resources).toMatchObject({
      memory: { min: 8, max: null },
      disk: { size: { min: 100, max: null } },
    });
  });
  it('ranges intersect', () => {
    expect(resources({ memory: { min: 4, max: 64 } }, { memory: { min: 8, max: null } })).toMatchObject({
      memory: { min: 8, max: 64 },
    });
    expect(resources({ memory: { min: 4, max: 6 } }, { memory: { min: 8, max: null } })).toBe(
      'memory: the fleet has 4GB..6GB, the run asks for 8GB..',
    );
    expect(resources({ cpu: { count: { max: 4 } } }, { cpu: { count: { min: 8 } } })).toBe(
      'cpu: the fleet has ..4, the run asks for 8..',
    );
  });
  it('vendors must agree', () => {
    const amd = { vendor: 'amd' as const, name: ['MI300X'], count: { min: 1 } };
    expect(resources({ gpu: { vendor: 'nvidia', count: { min: 1 } } }, { gpu: amd })).toBe(
      'gpu vendor: the fleet has nvidia, the run asks for amd',
    );
    expect(resources({ cpu: { arch: 'arm' } }, { cpu: { arch: 'x86' } })).toBe(
      'cpu architecture: the fleet has arm, the run asks for x86',
    );
  });
  it('the stronger compute capability wins', () => {
    const capability = (compute_capability: number[]) => ({ gpu: { compute_capability, count: { min: 1 } } });
    expect(resources(capability([8, 0]), capability([7, 5]))).toMatchObject({ gpu: { compute_capability: [8, 0] } });
    expect(resources(capability([8, 0]), capability([8, 9]))).toMatchObject({ gpu: { compute_capability: [8, 9] } });
  });
  it('names intersect; without a common one only machines without gpu are left', () => {
    const names = (name: string[], min: number) => ({ gpu: { name, count: { min } } });
    expect(resources(names(['A100', 'H100'], 1), names(['h100'], 1))).toMatchObject({ gpu: { name: ['H100'] } });
    expect(resources(names(['A100'], 1), names(['H100'], 1))).toBe('gpu: the fleet has A100, the run asks for H100');
    const either = resources(names(['A100'], 0), names(['H100'], 0));
    expect(either).toMatchObject({ gpu: { name: null, count: { min: 0, max: 0 } } });
    if (typeof either === 'string') throw new Error(either);
    const ask = requirements(either);
    expect(matchOffer(offer(), ask).ok).toBe(true);
    expect(matchOffer(offer({ resources: { gpus: gpus(1) } }), ask).ok).toBe(false);
  });
});

describe('updating a fleet', () => {
  const ssh = (hosts: Wire.SSHParams['hosts'], rest: Partial<Wire.SSHParams> = {}): Wire.FleetSpec => ({
    configuration: { ssh_config: { user: 'u', hosts, ...rest } },
    profile: {},
  });
  it.each([
    ['nodes', { nodes: { min: 1, max: 4 } }, 0],
    ['resources and prices', { resources: {}, max_price: 1, spot_policy: 'auto' }, 0],
    ['blocks', { blocks: 2 }, 1],
    ['placement', { placement: 'cluster' }, 1],
    ['idle duration', { idle_duration: 1 }, 1],
    ['name', { name: 'other' }, 1],
  ] as const)('a cloud fleet: %s', (_what, change, blockers) => {
    expect(checkFleetUpdate(fleet(), fleet(structuredClone(change) as Wire.FleetConfiguration)).blockers).toHaveLength(
      blockers,
    );
  });
  it('the default fleet becomes that of whoever writes limits for it', () => {
    const check = checkFleetUpdate(
      { ...fleet(), autocreated: true },
      { ...fleet({ max_price: 1 }), autocreated: false },
    );
    expect(check.blockers).toEqual([]);
  });
  it('an SSH fleet takes and gives hosts', () => {
    const check = checkFleetUpdate(ssh(['a', 'b']), ssh(['b', { hostname: 'c', port: 2222 }]));
    expect(check).toMatchObject({ blockers: [], addedHosts: [{ hostname: 'c' }], removedHosts: ['a'] });
  });
  it('does not mind where a key file lies', () => {
    expect(checkFleetUpdate(ssh(['a'], { identity_file: '/a' }), ssh(['a'], { identity_file: '/b' })).changes).toEqual(
      [],
    );
  });
  it('an SSH fleet keeps the parameters of its hosts', () => {
    expect(checkFleetUpdate(ssh(['a']), ssh([{ hostname: 'a', port: 23 }])).blockers).toEqual([
      expect.stringContaining('host a: the parameters of a host cannot change'),
    ]);
    expect(checkFleetUpdate(ssh(['a']), ssh(['a'], { user: 'v' })).blockers).toEqual([
      'configuration.ssh_config.user: u → v',
    ]);
  });
  it('cannot become of the other kind', () => {
    expect(checkFleetUpdate(fleet(), ssh(['a'])).blockers).toHaveLength(1);
  });
});

describe('a machine of a fleet whose specification changed', () => {
  const machine = (changes: Partial<FleetMachine> = {}): FleetMachine => ({
    id: 'i', offer: offer({ price: 2, region: 'eu' }), zone: null, requirements: null, profile: null, isMadeForJob: false, ...changes,
  }); // prettier-ignore
  it.each<[string, Wire.FleetConfiguration, Partial<FleetMachine>, boolean]>([
    ['still fits', {}, {}, true],
    ['is too dear', { max_price: 1 }, {}, false],
    ['is elsewhere', { regions: ['us'] }, {}, false],
    ['is of another backend', { backends: ['gcp'] }, {}, false],
    ['has too little', { resources: { cpu: { count: { min: 64, max: null } } } }, {}, false],
    ['is on-demand where spot is wanted', { spot_policy: 'spot' }, {}, false],
    ['is in the zone', { availability_zones: ['eu-a'] }, { zone: 'eu-a' }, true],
    ['is in another zone', { availability_zones: ['eu-a'] }, { zone: 'eu-b' }, false],
    ['is in a zone nobody knows', { availability_zones: ['eu-a'] }, {}, true],
    ['is on its way to a job', { max_price: 1 }, { offer: null, isMadeForJob: true }, true],
    ['was asked for something else', { max_price: 1 }, { offer: null, ...fleetAsk(fleet()) }, false],
    ['was asked for the same', {}, { offer: null, ...fleetAsk(fleet()) }, true],
  ])('%s', (_case, configuration, of, fits) => expect(fitsFleet(fleet(configuration), machine(of))).toBe(fits));
});

it('turns the limits of a profile into filters', () => {
  expect(filtersOfProfile({ regions: ['eu'] }, { features: ['multinode'] })).toMatchObject({
    regions: ['eu'],
    backends: null,
    features: ['multinode'],
  });
});
