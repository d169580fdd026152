import type * as Wire from '../wire/generated/api.js';
import { judgePlace, type PlaceVerdict } from './judge-place.js';
import { judgeType, type TypeVerdict } from './judge-type.js';
import { asFitted, priceRejections } from './match-offer.js';
import { isUsable, type Offer } from './offer.js';
import { NO_FILTERS, type OfferFilters } from './offer-filters.js';
import { AVAILABILITIES, type OfferTable } from './offer-table.js';
import { mergeRejections, type RejectionSummary } from './rejection.js';

/** The rows of a table that fit. */
export interface FittingOffers {
  readonly table: OfferTable;
  /** Their numbers, the cheapest first. */
  readonly rows: Uint32Array;
  /** Of the rows that do not fit, as `matchOffer` would have told each. */
  readonly rejections: readonly RejectionSummary[];
  /** What can be used now first, each part by price, with the disk and the zones that the job would get. */
  take(count: number): Offer[];
}

/** What `matchOffer` says of each row, at the price of asking once for each type, each place and each price limit. */
export function queryOffers(
  table: OfferTable,
  requirements: Wire.Requirements,
  filters: OfferFilters = NO_FILTERS,
): FittingOffers {
  const types = table.types.map((type) => judgeType(type, requirements, filters));
  const places = table.places.map((place) => judgePlace(place, filters));
  const affordable = firstAbove(table.price, requirements.max_price ?? Infinity);
  const rows = fittingRows(table, flags(types), flags(places), affordable);
  return {
    table,
    rows,
    rejections: mergeRejections([
      ...overpriced(table.price, affordable, requirements),
      ...tallied(types, table.typeOf),
      ...tallied(places, table.placeOf),
    ]),
    take(count) {
      const { availabilityOf, typeOf, placeOf } = table;
      const usable = AVAILABILITIES.map((availability) => isUsable({ availability }));
      const isUsableRow = (row: number): boolean => usable[availabilityOf[row] ?? 0] === true;
      const first = takeWhere(rows, count, isUsableRow);
      const rest = takeWhere(rows, count - first.length, (row) => !isUsableRow(row));
      return [...first, ...rest].map((row) => {
        const diskGb = types[typeOf[row] ?? 0]?.diskGb ?? null;
        const zones = places[placeOf[row] ?? 0]?.zones ?? null;
        return asFitted(table.offerAt(row), diskGb, zones);
      });
    },
  };
}

function flags(verdicts: readonly (TypeVerdict | PlaceVerdict)[]): Uint8Array {
  return Uint8Array.from(verdicts, ({ reasons }) => (reasons.length === 0 ? 1 : 0));
}

function fittingRows(
  { typeOf, placeOf }: OfferTable,
  typeFits: Uint8Array,
  placeFits: Uint8Array,
  until: number,
): Uint32Array {
  const rows = new Uint32Array(until);
  let count = 0;
  for (let row = 0; row < until; row += 1)
    if (typeFits[typeOf[row] ?? 0] === 1 && placeFits[placeOf[row] ?? 0] === 1) rows[count++] = row;
  return rows.subarray(0, count);
}

/** How many values of a rising column are at most the limit. */
function firstAbove(column: Float64Array, limit: number): number {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((column[middle] ?? 0) > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}

function overpriced(price: Float64Array, affordable: number, requirements: Wire.Requirements): RejectionSummary[] {
  const count = price.length - affordable;
  return priceRejections(price[affordable] ?? 0, requirements).map(({ code, text }) => ({
    code,
    count,
    example: text,
  }));
}

function tallied(verdicts: readonly (TypeVerdict | PlaceVerdict)[], column: Uint32Array): RejectionSummary[] {
  const counts = new Uint32Array(verdicts.length);
  for (const index of column) counts[index] = (counts[index] ?? 0) + 1;
  return verdicts.flatMap(({ reasons }, index) => {
    const count = counts[index] ?? 0;
    return count === 0 ? [] : reasons.map(({ code, text }) => ({ code, count, example: text }));
  });
}

function takeWhere(rows: Uint32Array, count: number, holds: (row: number) => boolean): number[] {
  const taken: number[] = [];
  for (let index = 0; index < rows.length && taken.length < count; index += 1) {
    const row = rows[index] ?? 0;
    if (holds(row)) taken.push(row);
  }
  return taken;
}
