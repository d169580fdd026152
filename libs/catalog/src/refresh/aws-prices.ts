import { z } from 'zod';
import type { CatalogGpu, CatalogRow, CatalogType, PriceSource as Origin } from '../catalog-row.js';
import { readAwsOffers, type AwsOffer } from './aws-offers.js';
import { readSpotAdvice } from './aws-spot-advice.js';
import { inTurn } from './in-turn.js';
import type { FailedPlace, Reading } from './reading.js';
import { dayOf } from './reading-date.js';
import { rowKey } from './row-key.js';
import type { PriceSource } from './source-client.js';
import { CatalogSourceError } from './source-error.js';

const PRICES = 'https://pricing.us-east-1.amazonaws.com';
const REGIONS = '/offers/v1.0/aws/AmazonEC2/current/region_index.json';
/** Files of hundreds of megabytes: two fill a line. */
const PARALLEL = 2;

const regionIndex = z.object({
  regions: z.record(z.string(), z.object({ regionCode: z.string(), currentVersionUrl: z.string() })),
});

/** What only an account can ask; each call is one region's. */
export interface AwsAccount {
  /** GPUs by instance type, of those types that have some. */
  gpus(region: string, types: readonly string[]): Promise<ReadonlyMap<string, CatalogGpu>>;
  /** The lowest price now among the zones of the region, USD per hour by instance type. Null: the account does not use the region. */
  spotPrices(region: string): Promise<ReadonlyMap<string, number> | null>;
}

export interface AwsReader {
  readonly source: PriceSource;
  readonly now: () => number;
  readonly current: readonly CatalogRow[];
  /** Null: all that the index has, but for wavelength zones. */
  readonly regions: readonly string[] | null;
  /** Null: only what everybody can read. */
  readonly account: AwsAccount | null;
  readonly pricesUrl?: string;
  readonly spotAdviceUrl?: string;
}

/** AWS's bulk price list, a file a region, and spot prices: the account's, or else by the advised savings. */
export async function readAws(reader: AwsReader): Promise<Reading> {
  const { source, pricesUrl = PRICES } = reader;
  const index = await source.json({ url: `${pricesUrl}${REGIONS}` }, regionIndex);
  const wanted = Object.values(index.regions).filter(({ regionCode }) => isWanted(regionCode, reader.regions));
  const failed: FailedPlace[] = [];
  const offers = await inTurn(wanted, PARALLEL, async ({ regionCode, currentVersionUrl }) => {
    const url = `${pricesUrl}${currentVersionUrl.replace(/\.json$/, '.csv')}`;
    return readAwsOffers(source, url, regionCode).catch((error: unknown) => {
      failed.push({ place: regionCode, error: messageOf(error) });
      return [];
    });
  });
  const lost = new Set(failed.map(({ place }) => place));
  const read = new Set(wanted.map(({ regionCode }) => regionCode).filter((region) => !lost.has(region)));
  const known = await typesOf(reader, offers.flat());
  const onDemand = offers.flat().flatMap((offer): CatalogRow[] => {
    const type = known.types.get(offer.type);
    if (type === undefined) return [];
    return [{ type, location: offer.region, price: offer.price, isSpot: false, source: listed(offer.date) }];
  });
  const spot = await readSpot(reader, [...read], onDemand);
  return {
    rows: [...onDemand, ...spot.rows],
    covers: (row) => (row.isSpot ? spot.covers(row) : read.has(row.location)),
    failed: [...failed, ...spot.failed],
    remarks: known.remarks,
  };
}

const listed = (date: string): Origin => ({ source: 'AWS Price List', date, isExact: true });

function isWanted(region: string, regions: readonly string[] | null): boolean {
  if (/-wl\d/.test(region)) return false;
  return regions === null || regions.includes(region);
}

/** The list says how many GPUs there are, and not which: the account does, or another size of the family. */
async function typesOf(
  { current, account, regions }: AwsReader,
  offers: readonly AwsOffer[],
): Promise<{ readonly types: ReadonlyMap<string, CatalogType>; readonly remarks: readonly string[] }> {
  const known = new Map(current.map(({ type }) => [type.name, type]));
  const byName = new Map(offers.map((offer) => [offer.type, offer]));
  const fresh = [...byName.values()].filter(({ type }) => !known.has(type));
  const families = new Map(current.flatMap(({ type }) => (type.gpu === null ? [] : [[familyOf(type.name), type.gpu]])));
  const asked = fresh.filter(({ type, gpus }) => gpus > 0 && !families.has(familyOf(type)));
  const told = new Map<string, CatalogGpu>();
  // The region with most of them first: each tells only what it has.
  for (const region of regionsByCount(asked, offers, regions)) {
    const open = asked.filter(({ type }) => !told.has(type)).map(({ type }) => type);
    if (account === null || open.length === 0) break;
    const here = new Set(offers.filter((offer) => offer.region === region).map(({ type }) => type));
    const names = open.filter((type) => here.has(type));
    if (names.length > 0) for (const [type, gpu] of await account.gpus(region, names)) told.set(type, gpu);
  }
  const types = new Map<string, CatalogType>();
  const unknown: string[] = [];
  for (const [name, offer] of byName) {
    const family = families.get(familyOf(name));
    const gpu = told.get(name) ?? (family === undefined ? null : { ...family, count: offer.gpus });
    if (known.has(name)) types.set(name, known.get(name) ?? typeOf(offer, gpu));
    else if (offer.gpus > 0 && gpu === null) unknown.push(name);
    else types.set(name, typeOf(offer, offer.gpus > 0 ? gpu : null));
  }
  const which = account === null ? 'which needs an account that may describe instance types' : 'AWS does not say';
  const remarks = unknown.length === 0 ? [] : [`nobody knows the GPUs (${which}) of ${unknown.sort().join(', ')}`];
  return { types, remarks };
}

function typeOf({ type, cpus, memoryMib, isArm }: AwsOffer, gpu: CatalogGpu | null): CatalogType {
  return { name: type, cpus, memoryMib, gpu, cpuArch: isArm ? 'arm' : 'x86', diskGb: null, flags: [] };
}

function familyOf(type: string): string {
  return type.split('.')[0] ?? type;
}

function regionsByCount(
  asked: readonly AwsOffer[],
  offers: readonly AwsOffer[],
  regions: readonly string[] | null,
): string[] {
  const names = new Set(asked.map(({ type }) => type));
  const counts = new Map<string, number>();
  for (const { type, region } of offers) {
    // Local zones are described by their region.
    const isRegion = /^[a-z]+(-[a-z]+)+-\d$/.test(region);
    if (names.has(type) && isRegion && regions?.includes(region) !== false) {
      counts.set(region, (counts.get(region) ?? 0) + 1);
    }
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([region]) => region);
}

type SpotReading = Pick<Reading, 'rows' | 'covers' | 'failed'>;

async function readSpot(
  reader: AwsReader,
  regions: readonly string[],
  onDemand: readonly CatalogRow[],
): Promise<SpotReading> {
  return reader.account === null
    ? advisedSpot(reader, onDemand)
    : accountSpot(reader.account, reader, regions, onDemand);
}

async function accountSpot(
  account: AwsAccount,
  { now, current }: AwsReader,
  regions: readonly string[],
  onDemand: readonly CatalogRow[],
): Promise<SpotReading> {
  // Some types are sold as spot alone.
  const types = new Map([...current, ...onDemand].map(({ type }) => [type.name, type]));
  const source = 'AWS spot prices, the lowest zone of a region';
  const failed: FailedPlace[] = [];
  const read = new Set<string>();
  const rows = await inTurn(regions, PARALLEL, async (location): Promise<CatalogRow[]> => {
    try {
      const prices = await account.spotPrices(location);
      if (prices === null) return [];
      read.add(location);
      const origin: Origin = { source, date: dayOf(now()), isExact: true };
      return [...prices].flatMap(([name, price]) => {
        const type = types.get(name);
        return type === undefined ? [] : [{ type, location, price, isSpot: true, source: origin }];
      });
    } catch (error) {
      failed.push({ place: `${location}, spot`, error: messageOf(error) });
      return [];
    }
  });
  return { rows: rows.flat(), covers: ({ location }) => read.has(location), failed };
}

/** On-demand prices less the savings that AWS advises: an estimate, which no price that was told gives way to. */
async function advisedSpot(reader: AwsReader, onDemand: readonly CatalogRow[]): Promise<SpotReading> {
  const told = new Set(reader.current.filter(({ isSpot, source }) => isSpot && source.isExact).map(rowKey));
  try {
    const savings = await readSpotAdvice(reader.source, reader.spotAdviceUrl);
    const origin: Origin = {
      source: 'AWS Spot Instance Advisor',
      date: dayOf(reader.now()),
      isExact: false,
      note: 'on-demand price less the advised saving',
    };
    const rows = onDemand.flatMap((row): CatalogRow[] => {
      const saving = savings.get(`${row.location} ${row.type.name}`);
      if (saving === undefined) return [];
      const price = Math.round(row.price * (100 - saving) * 1e4) / 1e6;
      const spot: CatalogRow = { ...row, price, isSpot: true, source: origin };
      return price > 0 && !told.has(rowKey(spot)) ? [spot] : [];
    });
    const read = new Set(onDemand.map(({ location }) => location));
    return { rows, covers: ({ location, source }) => !source.isExact && read.has(location), failed: [] };
  } catch (error) {
    return { rows: [], covers: () => false, failed: [{ place: 'spot', error: messageOf(error) }] };
  }
}

function messageOf(error: unknown): string {
  // Only what the list did wrong concerns one region.
  if (error instanceof CatalogSourceError) return error.message;
  throw error;
}
