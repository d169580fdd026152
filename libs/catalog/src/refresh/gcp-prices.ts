import { z } from 'zod';
import type { CatalogRow, CatalogType, PriceSource as Origin } from '../catalog-row.js';
import { gcpMachinePrice, isPutTogether } from './gcp-machine-price.js';
import { readGcpMachines, type ZoneType } from './gcp-machines.js';
import { GcpRates, type GcpSku } from './gcp-rates.js';
import type { Reading } from './reading.js';
import { dayOf } from './reading-date.js';
import { typeKey } from './row-key.js';
import type { PriceSource } from './source-client.js';
import { CatalogSourceError } from './source-error.js';

const BILLING = 'https://cloudbilling.googleapis.com';
const COMPUTE_ENGINE = '6F81-5844-456A';

const page = z.object({
  skus: z.array(
    z.object({
      description: z.string(),
      category: z.object({ usageType: z.string() }),
      serviceRegions: z.array(z.string()),
      pricingInfo: z.array(
        z.object({
          pricingExpression: z.object({
            tieredRates: z.array(
              z.object({ unitPrice: z.object({ currencyCode: z.string(), units: z.string(), nanos: z.number() }) }),
            ),
          }),
        }),
      ),
    }),
  ),
  nextPageToken: z.string().optional(),
});

export type GcpKey = { readonly apiKey: string } | { readonly token: string };

export interface GcpReader {
  readonly source: PriceSource;
  readonly now: () => number;
  readonly current: readonly CatalogRow[];
  readonly key: GcpKey;
  /** To learn which machine types are in which zones; needs a token. Null: those of the catalog are priced anew. */
  readonly project: string | null;
  readonly billingUrl?: string;
  readonly computeUrl?: string;
}

/** The Cloud Billing Catalog: prices of cores, memory and GPUs by region, which machines are put together from. */
export async function readGcp(reader: GcpReader): Promise<Reading> {
  const { current, now, project, key } = reader;
  const rates = new GcpRates(await skusOf(reader));
  if (rates.size === 0)
    throw new CatalogSourceError(reader.billingUrl ?? BILLING, 'no price is of a kind that is known', 'skus');
  const machines = project === null || !('token' in key) ? null : await readGcpMachines(reader, project, key.token);
  const offered = machines ?? current.map(({ type, location }) => ({ type, zone: location }));
  const rows = [...distinct(offered)].flatMap(({ type, zone }) => priced(type, zone, rates, dayOf(now())));
  const names = new Set(machines?.map(({ type }) => type.name));
  return {
    rows,
    // A machine that no price is found for may be sold under words that are not known: what was known of it stays.
    covers: ({ type, location, isSpot }) =>
      machines !== null && names.has(type.name) && gcpMachinePrice(type, regionOf(location), isSpot, rates) !== null,
    failed: [],
    remarks: [
      ...(machines === null ? ['no project is named: machine types and zones are those of the catalog'] : []),
      ...unpriced(current, rates),
    ],
  };
}

function priced(type: CatalogType, zone: string, rates: GcpRates, date: string): CatalogRow[] {
  const origin: Origin = isPutTogether(type)
    ? { source: 'Google Cloud Billing Catalog', date, isExact: false, note: 'machine price plus the price of its GPUs' }
    : { source: 'Google Cloud Billing Catalog', date, isExact: true };
  return [false, true].flatMap((isSpot): CatalogRow[] => {
    const price = gcpMachinePrice(type, regionOf(zone), isSpot, rates);
    return price === null ? [] : [{ type, location: zone, price, isSpot, source: origin }];
  });
}

function unpriced(current: readonly CatalogRow[], rates: GcpRates): string[] {
  const names = current
    .filter(({ type, location, isSpot }) => gcpMachinePrice(type, regionOf(location), isSpot, rates) === null)
    .map(({ type }) => type.name);
  const families = [...new Set(names.map((name) => name.replace(/-\d+g?$/, '')))].sort();
  return families.length === 0
    ? []
    : [`no price for all of, which therefore keep what they had: ${families.join(', ')}`];
}

function regionOf(zone: string): string {
  return zone.replace(/-[a-z]$/, '');
}

function distinct(offered: readonly ZoneType[]): Iterable<ZoneType> {
  return new Map(offered.map((each) => [`${typeKey(each.type)} ${each.zone}`, each])).values();
}

async function skusOf({ source, key, billingUrl = BILLING }: GcpReader): Promise<GcpSku[]> {
  const skus: GcpSku[] = [];
  const headers: Record<string, string> =
    'apiKey' in key ? { 'x-goog-api-key': key.apiKey } : { authorization: `Bearer ${key.token}` };
  let token: string | undefined = '';
  while (token !== undefined) {
    const query: URLSearchParams = new URLSearchParams({ pageSize: '5000', currencyCode: 'USD' });
    if (token !== '') query.set('pageToken', token);
    const url = `${billingUrl}/v1/services/${COMPUTE_ENGINE}/skus?${query.toString()}`;
    const reply: z.infer<typeof page> = await source.json({ url, headers }, page);
    for (const { description, category, serviceRegions, pricingInfo } of reply.skus) {
      const tiers = pricingInfo[0]?.pricingExpression.tieredRates ?? [];
      // What is free at first costs something later; local disks have one tier.
      const paid = tiers.find(({ unitPrice: { units, nanos } }) => Number(units) > 0 || nanos > 0) ?? tiers[0];
      if (paid === undefined || paid.unitPrice.currencyCode !== 'USD') continue;
      const price = Number(paid.unitPrice.units) + paid.unitPrice.nanos / 1e9;
      skus.push({ description, usageType: category.usageType, regions: serviceRegions, price });
    }
    token = reply.nextPageToken || undefined;
  }
  return skus;
}
