import { z } from 'zod';
import type { CatalogRow, CatalogType, PriceSource as Origin } from '../catalog-row.js';
import { readAzureSizes } from './azure-sizes.js';
import { inTurn } from './in-turn.js';
import type { FailedPlace, Reading } from './reading.js';
import { dayOf } from './reading-date.js';
import type { PriceSource } from './source-client.js';
import { CatalogSourceError } from './source-error.js';

const PRICES = 'https://prices.azure.com';
const PATH = '/api/retail/prices';
/** A size that every region has: whose list of prices names the regions. */
const EVERYWHERE = 'Standard_D2s_v3';
/** Regions at once; more are answered with 429. */
const PARALLEL = 4;

const page = z.object({
  Items: z.array(
    z.object({
      currencyCode: z.string(),
      retailPrice: z.number(),
      armRegionName: z.string(),
      meterName: z.string(),
      productName: z.string(),
      armSkuName: z.string(),
      unitOfMeasure: z.string(),
      type: z.string(),
      effectiveStartDate: z.string(),
      isPrimaryMeterRegion: z.boolean(),
    }),
  ),
  NextPageLink: z.string().nullish(),
});
type Item = z.infer<typeof page>['Items'][number];

export interface AzureReader {
  readonly source: PriceSource;
  readonly now: () => number;
  readonly current: readonly CatalogRow[];
  /** Of a subscription, to learn of sizes that the catalog does not know. Null: only prices are read. */
  readonly account: { readonly subscription: string; readonly token: string } | null;
  readonly pricesUrl?: string;
  readonly managementUrl?: string;
}

/** Azure Retail Prices, region by region; no account is needed. */
export async function readAzure(reader: AzureReader): Promise<Reading> {
  const types = new Map(reader.current.map(({ type }) => [type.name, type]));
  const sizes = reader.account === null ? null : await readAzureSizes(reader, reader.account);
  for (const type of sizes?.types ?? []) if (!types.has(type.name)) types.set(type.name, type);
  const regions = await regionsOf(reader);
  const failed: FailedPlace[] = [];
  const rows = await inTurn(regions, PARALLEL, async (region) => {
    try {
      return rowsOf(await itemsOf(reader, regionFilter(region)), types, region, reader.now());
    } catch (error) {
      if (!(error instanceof CatalogSourceError)) throw error;
      failed.push({ place: region, error: error.message });
      return [];
    }
  });
  const read = new Set(regions.filter((region) => !failed.some(({ place }) => place === region)));
  return {
    rows: rows.flat(),
    covers: ({ location }) => read.has(location),
    failed,
    remarks: sizes?.remarks ?? ['no subscription is named: sizes that the catalog does not know are left out'],
  };
}

/** Those that the list has now, and those it had. */
async function regionsOf(reader: AzureReader): Promise<string[]> {
  const items = await itemsOf(
    reader,
    `serviceName eq 'Virtual Machines' and priceType eq 'Consumption' and armSkuName eq '${EVERYWHERE}'`,
  );
  const listed = items.filter(isLinux).map(({ armRegionName }) => armRegionName);
  const known = reader.current.map(({ location }) => location);
  return [...new Set([...listed, ...known])].filter((region) => region !== '').sort();
}

function regionFilter(region: string): string {
  return `serviceName eq 'Virtual Machines' and priceType eq 'Consumption' and armRegionName eq '${region}'`;
}

async function itemsOf({ source, pricesUrl = PRICES }: AzureReader, filter: string): Promise<Item[]> {
  const items: Item[] = [];
  let url: string | null =
    `${pricesUrl}${PATH}?${String(new URLSearchParams({ currencyCode: 'USD', $filter: filter }))}`;
  const asked = new Set<string>();
  while (url !== null) {
    if (asked.has(url)) throw new CatalogSourceError(url, 'the page names itself as the next one', 'NextPageLink');
    asked.add(url);
    const reply: z.infer<typeof page> = await source.json({ url }, page);
    items.push(...reply.Items);
    url = reply.NextPageLink ? samePlace(reply.NextPageLink, pricesUrl) : null;
  }
  return items;
}

/** Links name the service's own host and port; a proxy in between is asked all the same. */
function samePlace(link: string, base: string): string {
  const { pathname, search } = new URL(link, base);
  return `${base}${pathname}${search}`;
}

function rowsOf(items: readonly Item[], types: ReadonlyMap<string, CatalogType>, region: string, now: number) {
  const best = new Map<string, Item>();
  for (const item of items) {
    if (!isLinux(item) || item.armRegionName !== region || Date.parse(item.effectiveStartDate) > now) continue;
    const key = `${item.armSkuName} ${isSpot(item)}`;
    const known = best.get(key);
    if (known === undefined || isBetter(item, known)) best.set(key, item);
  }
  const origin: Origin = { source: 'Azure Retail Prices', date: dayOf(now), isExact: true };
  return [...best.values()].flatMap((item): CatalogRow[] => {
    const type = types.get(item.armSkuName);
    if (type === undefined) return [];
    return [{ type, location: region, price: item.retailPrice, isSpot: isSpot(item), source: origin }];
  });
}

/** A price for a machine with Linux, by the hour. Zeros stand for prices that are not told. */
function isLinux({
  productName,
  meterName,
  unitOfMeasure,
  type,
  currencyCode,
  retailPrice,
  armSkuName,
}: Item): boolean {
  return (
    type === 'Consumption' &&
    currencyCode === 'USD' &&
    unitOfMeasure === '1 Hour' &&
    retailPrice > 0 &&
    armSkuName !== '' &&
    !/windows|dedicated|cloud ?services/i.test(productName) &&
    !/low priority|expired/i.test(meterName)
  );
}

function isSpot({ meterName }: Item): boolean {
  return /\bspot\b/i.test(meterName);
}

/** Of two prices of one size: the region's own meter, then the later one. */
function isBetter(item: Item, known: Item): boolean {
  if (item.isPrimaryMeterRegion !== known.isPrimaryMeterRegion) return item.isPrimaryMeterRegion;
  return Date.parse(item.effectiveStartDate) > Date.parse(known.effectiveStartDate);
}
