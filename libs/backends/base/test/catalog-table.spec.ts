import { buildColumns, Catalog, type CatalogRow, type CatalogType } from '@dstack/catalog';
import { type Offer, queryOffers, type Wire } from '@dstack/core';
import { catalogOffers, catalogTable, type CatalogTableRequest } from '../src/offers/catalog-table.js';

const small: CatalogType = {
  name: 'small',
  cpus: 4,
  memoryMib: 16_384,
  gpu: null,
  cpuArch: 'x86',
  diskGb: null,
  flags: [],
};
const big: CatalogType = {
  ...small,
  name: 'big',
  cpus: 64,
  gpu: { vendor: 'nvidia', name: 'H100', count: 2, memoryMib: 81_920 },
};
const slice: CatalogType = { ...small, name: 'slice', cpus: null };
const exact = { source: 'a price list', date: '2026-07-20', isExact: true };
const derived = { source: 'a price list', date: '2025', isExact: false, note: 'half of on demand' };

const row = (type: CatalogType, location: string, price: number, rest: Partial<CatalogRow> = {}): CatalogRow => ({
  type,
  location,
  price,
  isSpot: false,
  source: exact,
  ...rest,
});
const catalog = new Catalog(
  buildColumns([
    row(small, 'eu-1a', 1),
    row(small, 'eu-1b', 1),
    row(small, 'eu-1c', 1.5),
    row(small, 'eu-1a', 0.3, { isSpot: true, source: derived }),
    row(big, 'us-1a', 9),
    row(big, 'moon-1a', 2),
    row(slice, 'us-1a', 3),
  ]),
);
const request: CatalogTableRequest = {
  backend: 'gcp',
  catalog,
  isSold: () => true,
  placeOf: (zone) => (zone.startsWith('moon') ? null : { region: zone.slice(0, -1), zones: [zone] }),
  diskRangeGb: { min: 10, max: 100 },
  availabilityOf: ({ type }) =>
    type.name === 'big'
      ? { availability: 'no_quota', availability_reason: 'no quota for H100' }
      : { availability: 'unknown' },
};
const table = () => catalogTable(request);
const anything: Wire.Requirements = {
  resources: { cpu: { count: { min: 1, max: null } }, memory: { min: 1, max: null } },
};

it('zones of one price are one offer, what nobody knows and what is elsewhere is none', () => {
  const offers = queryOffers(table(), anything).take(100);
  expect(offers.map(({ instance, price, availability_zones: zones }) => [instance.name, price, zones])).toEqual([
    ['small', 0.3, ['eu-1a']],
    ['small', 1, ['eu-1a', 'eu-1b']],
    ['small', 1.5, ['eu-1c']],
    ['big', 9, ['us-1a']],
  ]);
});

it('an offer says of when its price is, and why it cannot be had', () => {
  const [spot, onDemand] = queryOffers(table(), anything).take(2);
  expect(spot).toMatchObject({ priced: { date: '2025', isDerived: true }, instance: { resources: { spot: true } } });
  expect(onDemand).toMatchObject({ priced: { date: '2026-07-20', isDerived: false }, disk_range_gb: { min: 10 } });
  const gpu = { ...anything, resources: { ...anything.resources, gpu: { count: { min: 2, max: 2 } } } };
  expect(queryOffers(table(), gpu).take(9)).toMatchObject([
    { availability: 'no_quota', availability_reason: 'no quota for H100', region: 'us-1' },
  ]);
});

it('gives objects that may be changed', () => {
  const of = table();
  const [first] = queryOffers(of, anything).take(1);
  if (first === undefined) throw new Error('no offer');
  first.price = -1;
  first.instance.resources.cpus = -1;
  expect(queryOffers(of, anything).take(1)[0]).toMatchObject({ price: 0.3, instance: { resources: { cpus: 4 } } });
});

it('the offers of what is required are those of the table; when none fits, some that do not', () => {
  const told = (offers: readonly Offer[]) =>
    offers.map(({ instance, disk_range_gb: _chosen, ...rest }) => ({ ...rest, name: instance.name }));
  const ofTable = queryOffers(table(), anything).take(100);
  expect(told(catalogOffers({ ...request, requirements: anything }))).toEqual(told(ofTable));
  const none = { resources: { ...anything.resources, cpu: { count: { min: 1_000, max: null } } } };
  const examples = catalogOffers({ ...request, requirements: none });
  expect(examples.map(({ instance }) => instance.name)).toEqual(['small', 'small', 'small', 'big']);
});
