import { bestOffers } from './best-offers.js';
import { type GpuGroupBy, groupByProblem, groupFittingByGpu, groupRowsByGpu } from './group-offers.js';
import { type Offer, toWireOffer } from './offer.js';
import { tabulateOffers } from './offer-table.js';
import { mergeOffers, withoutDuplicates } from './order-offers.js';
import { planOffers } from './plan-offers.js';
import { queryOffers } from './query-offers.js';
import { requiredFeatures } from './backend-features.js';
import { requirementsOf } from './requirements.js';
import { gpus, offer, requirements } from '../../test/planning-builders.js';

const priced = (price: number, rest: Parameters<typeof offer>[0] = {}) => offer({ price, ...rest });
const groupOffersByGpu = (offers: readonly Offer[], groupBy: readonly GpuGroupBy[] = []) =>
  groupRowsByGpu({ table: tabulateOffers(offers), rows: Uint32Array.from(offers.keys()) }, groupBy);
const prices = (offers: readonly { price: number }[]) => offers.map((each) => each.price);

it('merges by price and keeps an order that means something', () => {
  const own = { order: 'own', offers: [priced(5), priced(1)] } as const;
  const byPrice = { order: 'price', offers: [priced(6), priced(2)] } as const;
  expect(prices(mergeOffers([own, byPrice]))).toEqual([2, 5, 1, 6]);
  expect(mergeOffers([])).toEqual([]);
});

it('plans idle instances first, then what can be created, then the rest', () => {
  const pool = [priced(9, { availability: 'idle' }), priced(3, { availability: 'busy' })];
  const created = [priced(4, { availability: 'no_quota' }), priced(2), priced(1, { availability: 'not_available' })];
  const planned = planOffers(pool, [queryOffers(tabulateOffers(created), requirements())], 4);
  expect(planned.offers.map((each) => [each.price, each.availability])).toEqual([
    [9, 'idle'],
    [2, 'unknown'],
    [3, 'busy'],
    [1, 'not_available'],
  ]);
  expect(planned).toMatchObject({ totalOffers: 5, maxPrice: 9 });
  expect(planOffers([], [])).toEqual({ offers: [], totalOffers: 0, maxPrice: null });
});

it('counts what several fleets are offered of one backend once, and of several backends together', () => {
  const table = tabulateOffers([priced(1), priced(2), priced(3)]);
  const dear = queryOffers(table, requirements());
  const cheap = queryOffers(table, requirements({}, { max_price: 2 }));
  const other = queryOffers(tabulateOffers([priced(5, { backend: 'gcp' })]), requirements());
  const planned = planOffers([], [cheap, dear, other], 3);
  expect(prices(planned.offers)).toEqual([1, 2, 3]);
  expect(planned).toMatchObject({ totalOffers: 4, maxPrice: 5 });
});

it('shows the same place once', () => {
  const distinct = [priced(1), priced(1, { resources: { spot: true } }), priced(1, { instance_id: 'i' })];
  expect(withoutDuplicates([...distinct, priced(1)])).toEqual(distinct);
});

it('keeps what only planning knows off the wire', () => {
  const wire = toWireOffer(
    priced(0, { backend: 'local', instance_id: 'i', availability_reason: 'full', disk_range_gb: { min: 1 } }),
  );
  expect(wire.backend).toBe('remote');
  expect(Object.keys(wire).sort()).toEqual([
    'availability',
    'availability_zones',
    'backend',
    'instance',
    'price',
    'region',
  ]);
});

describe('by gpu', () => {
  const offers = [
    priced(8, { resources: { gpus: gpus(8) } }),
    priced(3, { resources: { gpus: gpus(2), spot: true }, backend: 'gcp', region: 'eu', availability: 'available' }),
    priced(1, { resources: { gpus: gpus(1, 'T4', 16) }, availability: 'not_available' }),
    priced(1),
  ];

  it('prices are per gpu, usable groups come first', () => {
    expect(groupOffersByGpu(offers)).toEqual([
      {
        name: 'A100',
        memory_mib: 81_920,
        vendor: 'nvidia',
        availability: ['available', 'unknown'],
        spot: ['on-demand', 'spot'],
        count: { min: 2, max: 8 },
        price: { min: 1, max: 1.5 },
        backends: ['aws', 'gcp'],
      },
      expect.objectContaining({ name: 'T4', availability: ['not_available'] }),
    ]);
  });

  it('groups by backend name their regions, by region their one', () => {
    expect(groupOffersByGpu(offers, ['backend']).map((group) => [group.backend, group.regions])).toEqual([
      ['aws', ['us-east-1']],
      ['gcp', ['eu']],
      ['aws', ['us-east-1']],
    ]);
    expect(groupOffersByGpu(offers, ['backend', 'region'])[1]).toMatchObject({ backend: 'gcp', region: 'eu' });
    expect(groupOffersByGpu(offers, ['count']).map((group) => group.count)).toEqual([
      { min: 8, max: 8 },
      { min: 2, max: 2 },
      { min: 1, max: 1 },
    ]);
  });

  it.each([[[]], [['backend']], [['backend', 'region']], [['count']]] as const)(
    'several tables are grouped by %j as one',
    (groupBy) => {
      const tables = [offers.slice(0, 2), offers.slice(2), offers.slice(1, 3)].map((part) => {
        const table = tabulateOffers(part);
        return { table, rows: Uint32Array.from(part.keys()) };
      });
      expect(groupFittingByGpu(tables, groupBy)).toEqual(groupOffersByGpu(offers, groupBy));
    },
  );

  it.each([
    [['gpu', 'backend', 'region'], null],
    [['region'], 'grouping by region needs backend too'],
    [['colour'], 'cannot group by colour; use gpu, backend, region, count'],
  ])('%j: %s', (fields, problem) => expect(groupByProblem(fields)).toBe(problem));
});

it('asks for on-demand unless told otherwise', () => {
  const spec = requirements().resources;
  expect(requirementsOf(spec, {}).spot).toBe(false);
  expect(requirementsOf(spec, { spot_policy: 'auto' }).spot).toBeNull();
  expect(requirementsOf(spec, { spot_policy: 'spot' }, { jobsPerReplica: 2 })).toMatchObject({
    spot: true,
    multinode: true,
  });
});

it.each([
  [{}, []],
  [{ jobs_per_replica: 2 }, ['multinode']],
  [{ privileged: true }, ['privileged']],
  [{ volumes: [{ instance_path: '/a', path: '/b' }] }, ['instance-volumes']],
  [{ volumes: [{ instance_path: '/a', path: '/b', optional: true }] }, []],
  [{ volumes: [{ name: 'v', path: '/b' }] }, ['network-volumes']],
  [{ requirements: requirements({}, { reservation: 'r' }) }, ['reservation']],
])('a job with %j needs %j', (job, features) => {
  expect(requiredFeatures({ requirements: requirements(), ...job })).toEqual(features);
});

it('a backend’s own order outlives its table: the better offer is first, the dearer one or not', () => {
  const scored = [priced(5), priced(9, { availability: 'not_available' }), priced(1), priced(3)];
  const found = queryOffers(tabulateOffers(scored, { keepsOrder: true }), requirements());
  expect(prices(bestOffers([found], 10))).toEqual([5, 1, 3, 9]);
  expect(prices(bestOffers([found, queryOffers(tabulateOffers([priced(2)]), requirements())], 3))).toEqual([2, 5, 1]);
});
