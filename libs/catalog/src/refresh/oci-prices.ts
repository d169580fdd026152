import { z } from 'zod';
import type { CatalogRow, CatalogType, PriceSource as Origin } from '../catalog-row.js';
import type { Reading } from './reading.js';
import { dayOf } from './reading-date.js';
import type { PriceSource } from './source-client.js';
import { CatalogSourceError } from './source-error.js';

const PRODUCTS = 'https://apexapps.oracle.com/pls/apex/cetools/api/v1/products/?currencyCode=USD';
const SHAPES = 'https://www.oracle.com/a/ocom/docs/cloudestimator2/data/shapes.json';

const products = z.object({
  items: z.array(
    z.object({
      partNumber: z.string(),
      currencyCodeLocalizations: z.array(
        z.object({
          currencyCode: z.string(),
          prices: z.array(z.object({ model: z.string(), value: z.number() })),
        }),
      ),
    }),
  ),
});

const kind = z.object({ value: z.string() });
const shapes = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      hidden: z.boolean().nullish(),
      status: z.string(),
      allowPreemptible: z.boolean().nullish(),
      gpuQty: z.number().nullish(),
      shapeType: kind,
      subType: kind,
      products: z.array(z.object({ partNumber: z.string(), qty: z.number().nullish(), type: kind })),
    }),
  ),
});
type Shape = z.infer<typeof shapes>['items'][number];

export interface OciReader {
  readonly source: PriceSource;
  readonly now: () => number;
  readonly current: readonly CatalogRow[];
  readonly productsUrl?: string;
  readonly shapesUrl?: string;
}

/** Preemptible machines cost half, wherever they are allowed. */
const PREEMPTIBLE = 0.5;
const OFFERED: ReadonlySet<string> = new Set(['standard', 'gpu', 'optimized']);

/** Oracle's price list and the shapes of its cost estimator. Prices are the same in every region; no account is needed. */
export async function readOci(reader: OciReader): Promise<Reading> {
  const { source, current, now, productsUrl = PRODUCTS, shapesUrl = SHAPES } = reader;
  const [list, estimator] = await Promise.all([
    source.json({ url: productsUrl }, products),
    source.json({ url: shapesUrl }, shapes),
  ]);
  const rates = new Map<string, number>();
  for (const { partNumber, currencyCodeLocalizations } of list.items) {
    const usd = currencyCodeLocalizations.find(({ currencyCode }) => currencyCode === 'USD')?.prices ?? [];
    // The first units of some products are free: the price is what the others cost.
    const rate = Math.max(0, ...usd.filter(({ model }) => model === 'PAY_AS_YOU_GO').map(({ value }) => value));
    if (rate > 0) rates.set(partNumber, rate);
  }
  if (rates.size === 0) throw new CatalogSourceError(productsUrl, 'no product has a price by use in USD', 'items');
  const known = new Map(estimator.items.map((shape) => [shape.name, shape]));
  const day = dayOf(now());
  const rows = current
    .filter(({ isSpot }) => !isSpot)
    .flatMap(({ type, location }) => rowsOf(type, known.get(type.name), [location], rates, day));
  const absent = [...new Set(current.map(({ type }) => type.name))].filter((name) => !known.has(name)).sort();
  const names = new Set(current.map(({ type }) => type.name));
  const fresh = estimator.items.filter((shape) => isSold(shape) && !names.has(shape.name)).map(({ name }) => name);
  return {
    rows: [...rows, ...freshRows(estimator.items, names, current, rates, day)],
    covers: ({ type, isSpot }) => isCovered(known.get(type.name), type, isSpot, rates),
    failed: [],
    remarks: [
      ...(absent.length === 0
        ? []
        : [`the estimator has no shapes of these names, which keep their prices: ${absent.join(', ')}`]),
      ...(fresh.length === 0 ? [] : [`shapes that the catalog did not know: ${fresh.sort().join(', ')}`]),
    ],
  };
}

/** A shape that the estimator tells is not sold any more goes; one that it has no price of, or does not know, stays. */
function isCovered(
  shape: Shape | undefined,
  type: CatalogType,
  isSpot: boolean,
  rates: ReadonlyMap<string, number>,
): boolean {
  if (shape === undefined) return false;
  return !isSold(shape) || (isSpot && shape.allowPreemptible !== true) || priceOf(type, shape, rates) !== null;
}

function isSold({ name, hidden, status, shapeType, subType }: Shape): boolean {
  const isMachine = /^(vm|bm)$/i.test(shapeType.value) && OFFERED.has(subType.value.toLowerCase());
  return hidden !== true && status === 'ACTIVE' && isMachine && !name.includes('.A1.');
}

/** USD per hour on demand. Machines with GPUs cost what these cost; all others processors and memory. */
function priceOf(type: CatalogType, shape: Shape, rates: ReadonlyMap<string, number>): number | null {
  const rateOf = (of: string): number | null => {
    const product = shape.products.find((each) => each.type.value.toLowerCase() === of);
    return product === undefined ? null : (rates.get(product.partNumber) ?? null);
  };
  if (type.gpu !== null) {
    const rate = rateOf('gpu') ?? rateOf('ocpu');
    return rate === null ? null : rate * type.gpu.count;
  }
  const processor = rateOf('ocpu');
  if (processor === null || type.cpus === null || type.memoryMib === null) return null;
  const hasMemoryPrice = shape.products.some((each) => each.type.value.toLowerCase() === 'memory');
  const memory = hasMemoryPrice ? rateOf('memory') : 0;
  // A processor of Oracle is two of ours; on ARM it is one.
  const ocpus = type.cpuArch === 'arm' ? type.cpus : type.cpus / 2;
  return memory === null ? null : ocpus * processor + (type.memoryMib / 1024) * memory;
}

function originOf({ gpu }: CatalogType, { name }: Shape, date: string): Origin {
  const source = 'Oracle price list';
  if (gpu !== null) return { source, date, isExact: true, note: 'the same in every region' };
  return name.endsWith('.Flex')
    ? { source, date, isExact: false, note: 'processor and memory rates times a chosen size' }
    : { source, date, isExact: true, note: 'sum of processor and memory rates' };
}

/** Fixed shapes without GPUs say all there is to know of them; they are where all others are. */
function freshRows(
  all: readonly Shape[],
  known: ReadonlySet<string>,
  current: readonly CatalogRow[],
  rates: ReadonlyMap<string, number>,
  day: string,
): CatalogRow[] {
  const regions = [...new Set(current.map(({ location }) => location))];
  return all.flatMap((shape) => {
    const type = known.has(shape.name) ? null : fixedType(shape);
    return type === null ? [] : rowsOf(type, shape, regions, rates, day);
  });
}

/** On demand, and preemptible where that is allowed. */
function rowsOf(
  type: CatalogType,
  shape: Shape | undefined,
  regions: readonly string[],
  rates: ReadonlyMap<string, number>,
  day: string,
): CatalogRow[] {
  const price = shape === undefined || !isSold(shape) ? null : priceOf(type, shape, rates);
  if (shape === undefined || price === null) return [];
  const source = originOf(type, shape, day);
  const preemptible = { ...type, flags: [...type.flags, 'oci-spot'] };
  return regions.flatMap((location): CatalogRow[] => [
    { type, location, price: rounded(price), isSpot: false, source },
    ...(shape.allowPreemptible === true
      ? [{ type: preemptible, location, price: rounded(price * PREEMPTIBLE), isSpot: true, source }]
      : []),
  ]);
}

function fixedType({ name, gpuQty, products: parts }: Shape): CatalogType | null {
  if (gpuQty || name.endsWith('.Flex')) return null;
  const quantity = (of: string): number => parts.find((each) => each.type.value.toLowerCase() === of)?.qty ?? 0;
  const ocpus = quantity('ocpu');
  const memoryGb = quantity('memory');
  if (ocpus <= 0 || memoryGb <= 0) return null;
  return {
    name,
    cpus: ocpus * 2,
    memoryMib: Math.round(memoryGb * 1024),
    gpu: null,
    cpuArch: 'x86',
    diskGb: null,
    flags: [],
  };
}

function rounded(price: number): number {
  return Math.round(price * 1e6) / 1e6;
}
