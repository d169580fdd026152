import fc from 'fast-check';
import type * as Wire from '../wire/generated/api.js';
import { gpus, offer, requirements } from '../../test/planning-builders.js';
import { type GpuGroupBy, groupRowsByGpu } from './group-offers.js';
import { matchOffer } from './match-offer.js';
import type { Offer } from './offer.js';
import type { OfferFilters } from './offer-filters.js';
import { tabulateOffers } from './offer-table.js';
import { mergeOffers, usableFirst } from './order-offers.js';
import { queryOffers } from './query-offers.js';
import { summariseRejections } from './rejection.js';

const someOffer: fc.Arbitrary<Offer> = fc
  .record({
    name: fc.constantFrom('small', 'big', 'accelerated'),
    spot: fc.boolean(),
    cpus: fc.constantFrom(1, 8, 64),
    gpuCount: fc.constantFrom(0, 1, 8),
    gpu: fc.constantFrom('A100', 'H100', 'v5litepod-16'),
    disk: fc.constantFrom({ size_mib: 102_400 }, { size_mib: 10_240 }, null),
    backend: fc.constantFrom('aws' as const, 'gcp' as const, 'vastai' as const, 'local' as const),
    region: fc.constantFrom('us-east-1', 'eu-west-1'),
    zones: fc.constantFrom<string[] | null>(null, ['a'], ['a', 'b']),
    price: fc.constantFrom(0.1, 1, 2, 3),
    availability: fc.constantFrom<Wire.InstanceAvailability>('unknown', 'available', 'no_quota', 'not_available'),
  })
  .map(({ name, spot, cpus, gpuCount, gpu, disk, backend, region, zones, price, availability }) =>
    offer({
      name,
      backend,
      region,
      price,
      availability,
      availability_zones: zones,
      resources: { spot, cpus, gpus: gpus(gpuCount, gpu), ...(disk === null ? { disk: { size_mib: 0 } } : { disk }) },
      ...(disk === null ? { disk_range_gb: { min: 20, max: 500 } } : {}),
    }),
  );

const someFilters: fc.Arbitrary<OfferFilters> = fc.record({
  backends: fc.constantFrom(null, ['aws' as const], ['gcp' as const, 'remote' as const]),
  regions: fc.constantFrom(null, ['US-EAST-1']),
  availabilityZones: fc.constantFrom(null, ['b']),
  instanceTypes: fc.constantFrom(null, ['Big', 'small']),
  volumeLocations: fc.constantFrom(null, [{ backend: 'aws' as const, region: 'us-east-1', zone: 'b' }]),
  features: fc.constantFrom([], ['multinode' as const], ['multinode' as const, 'network-volumes' as const]),
  containerOnly: fc.constant(null),
});

const someRequirements: fc.Arbitrary<Wire.Requirements> = fc
  .record({
    gpu: fc.constantFrom<NonNullable<Wire.ResourcesSpec['gpu']>>(
      { count: { min: 0, max: null } },
      { name: ['H100'], count: { min: 8 } },
    ),
    cpu: fc.constantFrom({ count: { min: 2, max: null } }, { count: { min: 1, max: 8 } }),
    disk: fc.constantFrom({ size: { min: 100, max: null } }, { size: { min: 600 } }, { size: { min: 1 } }),
    maxPrice: fc.constantFrom(null, 0.05, 1, 2.5),
    spot: fc.constantFrom(null, true, false),
  })
  .map(({ gpu, cpu, disk, maxPrice, spot }) => requirements({ gpu, cpu, disk }, { max_price: maxPrice, spot }));

const counts = (summaries: readonly { code: string; count: number }[]): Record<string, number> =>
  Object.fromEntries(summaries.map(({ code, count }) => [code, count]));

it('says of a table what matchOffer says of each of its offers', () => {
  fc.assert(
    fc.property(
      fc.array(someOffer, { maxLength: 60 }),
      someRequirements,
      someFilters,
      fc.nat(70),
      (offers, asked, filters, count) => {
        const matches = offers.map((each) => matchOffer(each, asked, filters));
        const fitting = matches.flatMap((match) => (match.ok ? [match.offer] : []));
        const found = queryOffers(tabulateOffers(offers), asked, filters);
        expect(found.rows).toHaveLength(fitting.length);
        const byPrice = usableFirst(mergeOffers([{ offers: fitting, order: 'price' }]));
        expect(found.take(count)).toEqual(byPrice.slice(0, count));
        expect(counts(found.rejections)).toEqual(
          counts(summariseRejections(matches.flatMap((match) => (match.ok ? [] : [match.reasons])))),
        );
      },
    ),
    { numRuns: 300 },
  );
});

it.each([[[]], [['backend' as const]], [['backend' as const, 'region' as const]], [['count' as const]]])(
  'groups the rows that fit by GPU and %j',
  (groupBy: readonly GpuGroupBy[]) => {
    fc.assert(
      fc.property(fc.array(someOffer, { maxLength: 60 }), someRequirements, (offers, asked) => {
        const found = queryOffers(tabulateOffers(offers), asked);
        const withGpu = found.take(offers.length).filter((each) => each.instance.resources.gpus.length > 0);
        const expected = Map.groupBy(withGpu, ({ instance: { resources }, backend, region }) =>
          JSON.stringify([
            resources.gpus[0],
            groupBy.includes('backend') && backend,
            groupBy.includes('region') && region,
            groupBy.includes('count') && resources.gpus.length,
          ]),
        );
        const groups = groupRowsByGpu(found, groupBy);
        expect(groups).toHaveLength(expected.size);
        for (const members of expected.values())
          expect(groups).toContainEqual(expect.objectContaining(summary(members)));
      }),
    );
  },
);

function summary(members: readonly Offer[]): Partial<Wire.GpuGroup> {
  const gpuCounts = members.map(({ instance }) => instance.resources.gpus.length);
  const prices = members.map(({ price, instance }) => price / instance.resources.gpus.length);
  const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)].sort();
  return {
    ...(members[0] && { name: members[0].instance.resources.gpus[0]?.name ?? '' }),
    availability: distinct(members.map(({ availability }) => availability)),
    spot: distinct(members.map(({ instance }) => (instance.resources.spot ? 'spot' : 'on-demand'))),
    count: { min: Math.min(...gpuCounts), max: Math.max(...gpuCounts) },
    price: { min: Math.min(...prices), max: Math.max(...prices) },
  };
}

it('says which rows a table has', () => {
  expect(() => tabulateOffers([offer()]).offerAt(1)).toThrow('the table has 1 rows, and no row 1');
});
