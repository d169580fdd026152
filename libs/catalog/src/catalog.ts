import type { CatalogRow, CatalogType, PriceSource } from './catalog-row.js';

export interface CatalogColumns {
  readonly types: readonly CatalogType[];
  readonly locations: readonly string[];
  readonly sources: readonly PriceSource[];
  /** USD per hour, rising: the first rows that fit are the cheapest. */
  readonly price: Float64Array;
  readonly type: Uint16Array;
  readonly location: Uint16Array;
  /** The source's number, doubled, plus one for spot. */
  readonly sourceAndSpot: Uint8Array;
}

export interface CatalogFilter {
  /** Asked once per type. */
  readonly type: (type: CatalogType) => boolean;
  /** Asked once per location; absent: anywhere. */
  readonly location?: (location: string) => boolean;
  /** Null: either. */
  readonly isSpot?: boolean | null;
  readonly maxPrice?: number | null;
}

/** One cloud's prices in columns: 13 bytes a row beside its types and locations, which rows share. */
export class Catalog {
  constructor(private readonly columns: CatalogColumns) {}

  get size(): number {
    return this.columns.price.length;
  }

  get types(): readonly CatalogType[] {
    return this.columns.types;
  }

  get sources(): readonly PriceSource[] {
    return this.columns.sources;
  }

  /** The rows that pass, the cheapest first; a row is made when it is asked for. */
  *rows(filter: CatalogFilter): Generator<CatalogRow, void, undefined> {
    const { columns } = this;
    const types = flags(columns.types, filter.type);
    const locations = flags(columns.locations, filter.location ?? (() => true));
    const maxPrice = filter.maxPrice ?? Infinity;
    const spot = filter.isSpot ?? null;
    for (let index = 0; index < columns.price.length; index += 1) {
      const price = at(columns.price, index);
      if (price > maxPrice) return;
      if (types[at(columns.type, index)] === 0 || locations[at(columns.location, index)] === 0) continue;
      const packed = at(columns.sourceAndSpot, index);
      const isSpot = (packed & 1) === 1;
      if (spot !== null && spot !== isSpot) continue;
      yield {
        type: entry(columns.types, at(columns.type, index)),
        location: entry(columns.locations, at(columns.location, index)),
        price,
        isSpot,
        source: entry(columns.sources, packed >> 1),
      };
    }
  }
}

function flags<T>(entries: readonly T[], passes: (entry: T) => boolean): Uint8Array {
  return Uint8Array.from(entries, (each) => Number(passes(each)));
}

// Typed arrays are as long as each other; only an index past their end gives undefined.
function at(column: Float64Array | Uint16Array | Uint8Array, index: number): number {
  return column[index] ?? 0;
}

function entry<T>(entries: readonly T[], index: number): T {
  const found = entries[index];
  if (found === undefined) throw new RangeError(`the catalog names entry ${index} of ${entries.length}`);
  return found;
}
