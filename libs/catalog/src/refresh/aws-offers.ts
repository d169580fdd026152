import { splitCsvLine } from './csv-line.js';
import type { PriceSource } from './source-client.js';
import { CatalogSourceError } from './source-error.js';

/** An on-demand price of AWS's list, and what it says of the type. */
export interface AwsOffer {
  readonly type: string;
  readonly region: string;
  /** USD per hour. */
  readonly price: number;
  readonly cpus: number;
  readonly memoryMib: number;
  readonly gpus: number;
  readonly isArm: boolean;
  /** When AWS published the list. */
  readonly date: string;
}

const COLUMNS = {
  termType: 'TermType',
  unit: 'Unit',
  price: 'PricePerUnit',
  currency: 'Currency',
  type: 'Instance Type',
  cpus: 'vCPU',
  processor: 'Physical Processor',
  memory: 'Memory',
  tenancy: 'Tenancy',
  system: 'Operating System',
  gpus: 'GPU',
  capacity: 'CapacityStatus',
  software: 'Pre Installed S/W',
  market: 'MarketOption',
  region: 'Region Code',
} as const;
type Column = keyof typeof COLUMNS;

/** The families that are offered. Bare metal is not. */
const FAMILY =
  /^(t2\.small|(t3a?|m5|c5|r5|m6i|c6i|r6i|m6a|m7i|c7i|r7i|m7a|m7g|c7g)\.|(p3dn|p[4-9][a-z0-9-]*|g4dn|g4ad|g5g?|g6e?|gr6|g[7-9][a-z]*)\.)/;
const HEAD_LINES = 5;

/** One region's file: hundreds of megabytes, of which a few hundred lines are wanted. @throws {CatalogSourceError} */
export async function readAwsOffers(source: PriceSource, url: string, region: string): Promise<AwsOffer[]> {
  const offers = new Map<string, AwsOffer>();
  let places: Readonly<Record<Column, number>> | null = null;
  let columns = 0;
  let date = '';
  let number = 0;
  for await (const line of source.lines({ url })) {
    number += 1;
    if (number <= HEAD_LINES) {
      const [name, value] = splitCsvLine(line);
      if (name === 'Publication Date') date = value?.slice(0, 10) ?? '';
    } else if (places === null) {
      const names = splitCsvLine(line);
      columns = names.length;
      places = placesOf(names, url, number);
    } else if (line.includes('"OnDemand"') && line.includes('"Linux"') && line.includes('"Used"')) {
      const fields = splitCsvLine(line);
      if (fields.length !== columns) {
        throw new CatalogSourceError(url, `${fields.length} fields instead of ${columns}`, `line ${number}`);
      }
      const offer = offerOf(fields, places, { url, number, date, region });
      if (offer !== null) offers.set(offer.type, offer);
    }
  }
  if (date === '') throw new CatalogSourceError(url, 'the list does not say when it was published', 'Publication Date');
  return [...offers.values()];
}

function placesOf(names: readonly string[], url: string, line: number): Record<Column, number> {
  const entries = Object.entries(COLUMNS).map(([key, name]): [string, number] => {
    const place = names.indexOf(name);
    if (place === -1) throw new CatalogSourceError(url, 'the list has no such column', `line ${line}, "${name}"`);
    return [key, place];
  });
  // The keys are those of COLUMNS.
  return Object.fromEntries(entries) as Record<Column, number>;
}

interface Where {
  readonly url: string;
  readonly number: number;
  readonly date: string;
  readonly region: string;
}

function offerOf(fields: readonly string[], places: Readonly<Record<Column, number>>, where: Where): AwsOffer | null {
  const of = (column: Column): string => fields[places[column]] ?? '';
  const type = of('type');
  const isPlain =
    of('termType') === 'OnDemand' &&
    of('tenancy') === 'Shared' &&
    of('system') === 'Linux' &&
    of('capacity') === 'Used' &&
    of('unit') === 'Hrs' &&
    of('currency') === 'USD' &&
    (of('software') === '' || of('software') === 'NA') &&
    (of('market') === '' || of('market') === 'OnDemand') &&
    of('region') === where.region;
  if (!isPlain || !FAMILY.test(type) || type.includes('.metal')) return null;
  const gpus = of('gpus') === '' ? 0 : Number(of('gpus'));
  // A part of a GPU is no GPU that a job can ask for.
  if (gpus > 0 && gpus < 1) return null;
  const price = Number(of('price'));
  if (price === 0) return null;
  return {
    type,
    region: where.region,
    price: positive(price, 'price', where),
    cpus: positive(Number(of('cpus')), 'cpus', where),
    memoryMib: Math.round(
      positive(Number(of('memory').replace(/,/g, '').replace(/ GiB$/, '')), 'memory', where) * 1024,
    ),
    gpus: Math.max(0, Number.isNaN(gpus) ? 0 : gpus),
    isArm: /graviton/i.test(of('processor')),
    date: where.date,
  };
}

function positive(value: number, column: Column, { url, number }: Where): number {
  if (value > 0) return value;
  throw new CatalogSourceError(url, 'is no number above 0', `line ${number}, "${COLUMNS[column]}"`);
}
