import type * as Wire from '../wire/generated/api.js';
import { judgePlace } from './judge-place.js';
import { judgeType } from './judge-type.js';
import { asFitted, judgePrice } from './match-offer.js';
import { isUsable, type Offer } from './offer.js';
import { NO_FILTERS, type OfferFilters } from './offer-filters.js';
import { AVAILABILITIES, type OfferTable } from './offer-table.js';
import { oncePerTable } from './once-per-table.js';
import type { Reject, RejectionCode, RejectionSummary } from './rejection.js';

/** The rows of a table that fit. */
export interface FittingOffers {
  readonly table: OfferTable;
  /** Their numbers, the cheapest first. */
  readonly rows: Uint32Array;
  /** Of the rows that do not fit, as `matchOffer` would have told each; the most frequent reasons first. */
  readonly rejections: readonly RejectionSummary[];
  /** Of what `take` gives. `own`: the backend's, which is kept (a score). */
  readonly order: 'price' | 'own';
  /** What can be used now first, each part by price or in the backend's own order, with the disk and the zones that the job would get. */
  take(count: number): Offer[];
}

/** What `matchOffer` says of each row, at the price of asking it of each type and of each place once. */
export function queryOffers(
  table: OfferTable,
  requirements: Wire.Requirements,
  filters: OfferFilters = NO_FILTERS,
): FittingOffers {
  const tally = new Tally();
  const rows = rowCounts(table);
  const types = judgeAll(table.types, rows.ofType, tally, (type, reject) =>
    judgeType(type, requirements, filters, reject),
  );
  const places = judgeAll(table.places, rows.ofPlace, tally, (place, reject) => judgePlace(place, filters, reject));
  const affordable = countUpTo(table.price, requirements.max_price ?? Infinity);
  const dear = table.price.length - affordable;
  if (dear > 0) judgePrice(table.price[affordable] ?? 0, requirements, tally.of(dear));
  const fitting = fittingRows(table, types.fits, places.fits, affordable);
  return {
    table,
    rows: fitting,
    order: 'price',
    rejections: tally.summaries(),
    take(count) {
      const usable = AVAILABILITIES.map((availability) => isUsable({ availability }));
      const isUsableRow = (row: number): boolean => usable[table.availabilityOf[row] ?? 0] === true;
      const first = takeWhere(fitting, count, isUsableRow);
      const rest = takeWhere(fitting, count - first.length, (row) => !isUsableRow(row));
      return [...first, ...rest].map((row) => {
        const diskGb = types.given[table.typeOf[row] ?? 0] ?? null;
        const zones = places.given[table.placeOf[row] ?? 0] ?? null;
        return asFitted(table.offerAt(row), diskGb, zones);
      });
    },
  };
}

interface Judged<G> {
  /** 1: nothing was said against it. */
  readonly fits: Uint8Array;
  readonly given: readonly G[];
}

function judgeAll<T, G>(
  values: readonly T[],
  rowsOf: Uint32Array,
  tally: Tally,
  judge: (value: T, reject: Reject) => G,
): Judged<G> {
  const fits = new Uint8Array(values.length);
  const given = values.map((value, index) => {
    const before = tally.told;
    const result = judge(value, tally.of(rowsOf[index] ?? 0));
    if (tally.told === before) fits[index] = 1;
    return result;
  });
  return { fits, given };
}

const rowCounts = oncePerTable(({ types, places, typeOf, placeOf }) => ({
  ofType: countEach(typeOf, types.length),
  ofPlace: countEach(placeOf, places.length),
}));

function countEach(column: Uint32Array, length: number): Uint32Array {
  const counts = new Uint32Array(length);
  for (const index of column) counts[index] = (counts[index] ?? 0) + 1;
  return counts;
}

/** Counts rows by reason; of each kind of reason the first text stands for all. */
class Tally {
  told = 0;
  private weight = 0;
  private readonly byCode = new Map<RejectionCode, { count: number; readonly example: string }>();

  /** What is told to it counts for so many rows, until it is asked again. */
  of(rows: number): Reject {
    this.weight = rows;
    return this.reject;
  }

  summaries(): RejectionSummary[] {
    return [...this.byCode].map(([code, told]) => ({ code, ...told })).sort((a, b) => b.count - a.count);
  }

  private readonly reject: Reject = (code, text) => {
    this.told += 1;
    const known = this.byCode.get(code);
    if (known === undefined) this.byCode.set(code, { count: this.weight, example: text() });
    else known.count += this.weight;
  };
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
function countUpTo(column: Float64Array, limit: number): number {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((column[middle] ?? 0) > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}

function takeWhere(rows: Uint32Array, count: number, holds: (row: number) => boolean): number[] {
  const taken: number[] = [];
  for (let index = 0; index < rows.length && taken.length < count; index += 1) {
    const row = rows[index] ?? 0;
    if (holds(row)) taken.push(row);
  }
  return taken;
}
