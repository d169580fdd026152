import { catalogTable } from '@dstack/backend-base/catalog-table';
import { bundledCatalog, bundledClouds, type Catalog } from '@dstack/catalog';
import {
  BACKEND_TYPES,
  type GpuGroupBy,
  groupRowsByGpu,
  NO_FILTERS,
  type Offer,
  type OfferFilters,
  type OfferTable,
  planOffers,
  queryOffers,
  tabulateOffers,
  type Wire,
} from '@dstack/core';
import { type Latency, latencyOf } from '../api-client.js';
import type { Bench, Measurement } from '../bench.js';
import { makeOffers } from '../catalog/make-offers.js';

const WARM_MS = 15;
/** As many as a plan shows. */
const SHOWN = 50;

/** What a plan and a list of GPUs ask of the offers of all backends, once the backends have told them. */
export const bench: Bench = {
  id: 'B6',
  title: 'Offers: match, order, explain and group 100,000 of them',
  async run({ quick }) {
    const offers = makeOffers(quick ? 5_000 : 100_000);
    const rounds = quick ? 5 : 200;
    const startedAt = performance.now();
    const table = tabulateOffers(offers);
    const madeMs = performance.now() - startedAt;
    const real = readCatalogs();
    const floor = timed(rounds, () => readColumns(table.price, table.typeOf, table.placeOf));
    const groupings: readonly (readonly GpuGroupBy[])[] = [[], ['backend'], ['backend', 'region']];
    return [
      { name: 'the table is made, once', value: madeMs, unit: 'ms' },
      ...ASKS.flatMap(({ name, requirements, filters }) =>
        both(
          `plan, ${name}`,
          timed(rounds, () => queryOffers(table, requirements, filters).take(SHOWN)),
          floor,
        ),
      ),
      ...groupings.flatMap((groupBy) =>
        both(
          `GPUs of all offers by ${['gpu', ...groupBy].join(', ')}`,
          timed(rounds, () => groupRowsByGpu(queryOffers(table, ANYTHING), groupBy)),
          floor,
        ),
      ),
      {
        name: `the ${real.tables.length} catalogs that are brought along are read and made into tables, once`,
        value: real.madeMs,
        unit: 'ms',
      },
      ...ASKS.flatMap(({ name, requirements, filters }) =>
        both(
          `plan over the ${real.rows} offers of these catalogs, ${name}`,
          timed(rounds, () =>
            planOffers(
              [],
              real.tables.map((each) => queryOffers(each, requirements, filters)),
              SHOWN,
            ),
          ),
          floor,
        ),
      ),
    ];
  },
};

function ask(resources: Partial<Wire.ResourcesSpec>, rest: Partial<Wire.Requirements> = {}): Wire.Requirements {
  return {
    resources: {
      cpu: { count: { min: 2, max: null } },
      memory: { min: 8, max: null },
      gpu: { count: { min: 0, max: null } },
      disk: { size: { min: 100, max: null } },
      ...resources,
    },
    ...rest,
  };
}

const ANYTHING = ask({});

const ASKS: readonly {
  readonly name: string;
  readonly requirements: Wire.Requirements;
  readonly filters: OfferFilters;
}[] = [
  { name: 'anything', requirements: ANYTHING, filters: NO_FILTERS },
  {
    name: 'eight H100 on demand in two regions',
    requirements: ask({ gpu: { name: ['H100'], count: { min: 8, max: 8 } } }, { spot: false }),
    filters: { ...NO_FILTERS, regions: ['aws-region-3', 'gcp-region-5'], features: ['multinode'] },
  },
  {
    name: 'at most 1 USD an hour',
    requirements: ask({ gpu: { memory: { min: 24, max: null }, count: { min: 1, max: null } } }, { max_price: 1 }),
    filters: NO_FILTERS,
  },
  {
    name: 'nothing fits, and why',
    requirements: ask({ gpu: { name: ['B200'], count: { min: 64, max: null } } }, { max_price: 0.1, spot: true }),
    filters: { ...NO_FILTERS, backends: ['lambda'], regions: ['nowhere'], instanceTypes: ['none'] },
  },
];

/** What nothing that looks at all rows can be faster than. */
function readColumns(...columns: readonly (Float64Array | Uint32Array)[]): number {
  let sum = 0;
  for (const column of columns) for (const value of column) sum += value;
  return sum;
}

/** What the backends hold and the server asks: a table for each cloud that has a catalog. */
function tablesOf(catalogs: ReadonlyMap<Offer['backend'], Catalog>): OfferTable[] {
  return [...catalogs].map(([backend, catalog]) =>
    catalogTable({
      backend,
      catalog,
      isSold: () => true,
      placeOf: (region) => ({ region, zones: null }),
      diskRangeGb: { min: 10, max: 16_384 },
      availabilityOf: () => ({ availability: 'unknown' }),
    }),
  );
}

function readCatalogs(): { readonly tables: readonly OfferTable[]; readonly rows: number; readonly madeMs: number } {
  const startedAt = performance.now();
  const tables = tablesOf(bundled());
  const rows = tables.reduce((sum, { price }) => sum + price.length, 0);
  return { tables, rows, madeMs: performance.now() - startedAt };
}

/** The clouds whose prices the packages bring. */
function bundled(): ReadonlyMap<Offer['backend'], Catalog> {
  const known = BACKEND_TYPES.filter((type) => bundledClouds().includes(type));
  return new Map(known.map((type) => [type, bundledCatalog(type)]));
}

/** CPU of this thread: what a plan waits for, without what else the machine does. */
function timed(rounds: number, work: () => unknown): Latency {
  const times: number[] = [];
  for (let round = -5; round < rounds; round += 1) {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    if (round >= 0) times.push((user + system) / 1000);
  }
  return latencyOf(times);
}

function both(name: string, { p50, p99 }: Latency, floor: Latency): Measurement[] {
  const what = 'reading the columns';
  return [
    { name: `${name}, p50`, value: p50, unit: 'ms CPU', floor: { what, value: floor.p50 } },
    {
      name: `${name}, p99`,
      value: p99,
      unit: 'ms CPU',
      floor: { what, value: floor.p99 },
      target: { atMost: WARM_MS },
    },
  ];
}
