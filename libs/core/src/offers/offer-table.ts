import type { OfferPlace } from './judge-place.js';
import type { OfferType } from './judge-type.js';
import type { Offer } from './offer.js';
import type * as Wire from '../wire/generated/api.js';

export const AVAILABILITIES = [
  'unknown',
  'available',
  'not_available',
  'no_quota',
  'no_balance',
  'idle',
  'busy',
] as const satisfies readonly Wire.InstanceAvailability[];

/**
 * Many offers in columns, for catalogues: a hundred thousand rows are of a thousand types in a hundred places, and each of these is held – and
 * judged – once. All columns have an entry for each row, the cheapest row first.
 */
export interface OfferTable {
  readonly types: readonly OfferType[];
  readonly places: readonly OfferPlace[];
  /** USD per hour. */
  readonly price: Float64Array;
  /** Index into `types`. */
  readonly typeOf: Uint32Array;
  /** Index into `places`. */
  readonly placeOf: Uint32Array;
  /** Where a row is in the backend's own order (a score); absent: its order is by price. */
  readonly rankOf?: Uint32Array;
  /** Index into `AVAILABILITIES`. */
  readonly availabilityOf: Uint8Array;
  /** The whole offer; rows are made into objects only when they are shown or taken. */
  offerAt(row: number): Offer;
}

/** @param keepsOrder the offers come in an order that means something */
export function tabulateOffers(offers: readonly Offer[], { keepsOrder = false } = {}): OfferTable {
  const ranked = offers.map((offer, rank) => ({ offer, rank })).sort((a, b) => a.offer.price - b.offer.price);
  const sorted = ranked.map(({ offer }) => offer);
  const types = new Distinct<OfferType>();
  const places = new Distinct<OfferPlace>();
  const typeOf = Uint32Array.from(
    sorted,
    ({ instance, disk_range_gb: disk, group_nodes: nodes, instance_runtime: runtime }) =>
      types.indexOf({
        instance,
        ...(disk === undefined ? {} : { disk_range_gb: disk }),
        ...(nodes === undefined ? {} : { group_nodes: nodes, instance_runtime: runtime }),
      }),
  );
  const placeOf = Uint32Array.from(sorted, ({ backend, region, availability_zones: zones = null, instance_id: id }) =>
    places.indexOf({ backend, region, availability_zones: zones, ...(id === undefined ? {} : { instance_id: id }) }),
  );
  return {
    types: types.values,
    places: places.values,
    price: Float64Array.from(sorted, (offer) => offer.price),
    typeOf,
    placeOf,
    ...(keepsOrder ? { rankOf: Uint32Array.from(ranked, ({ rank }) => rank) } : {}),
    availabilityOf: Uint8Array.from(sorted, ({ availability }) => AVAILABILITIES.indexOf(availability)),
    offerAt(row) {
      const offer = sorted[row];
      if (offer === undefined) throw new RangeError(`the table has ${sorted.length} rows, and no row ${row}`);
      return offer;
    },
  };
}

class Distinct<T> {
  readonly values: T[] = [];
  private readonly indexes = new Map<string, number>();

  indexOf(value: T): number {
    const key = JSON.stringify(value);
    const known = this.indexes.get(key);
    if (known !== undefined) return known;
    const index = this.values.push(value) - 1;
    this.indexes.set(key, index);
    return index;
  }
}
