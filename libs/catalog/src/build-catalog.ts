import type { CatalogColumns } from './catalog.js';
import type { CatalogRow } from './catalog-row.js';

/** Rows in any order become columns, sorted by price; equal types, places and sources are kept once. */
export function buildColumns(rows: readonly CatalogRow[]): CatalogColumns {
  const sorted = [...rows].sort((a, b) => a.price - b.price);
  const types = new Interned<CatalogRow['type']>(0xffff);
  const locations = new Interned<string>(0xffff);
  const sources = new Interned<CatalogRow['source']>(0x7f);
  const columns = {
    price: Float64Array.from(sorted, ({ price }) => price),
    type: Uint16Array.from(sorted, ({ type }) => types.indexOf(type)),
    location: Uint16Array.from(sorted, ({ location }) => locations.indexOf(location)),
    sourceAndSpot: Uint8Array.from(sorted, ({ source, isSpot }) => sources.indexOf(source) * 2 + Number(isSpot)),
  };
  return { ...columns, types: types.entries, locations: locations.entries, sources: sources.entries };
}

class Interned<T> {
  readonly entries: T[] = [];
  private readonly known = new Map<string, number>();
  /** Most rows share their objects: comparing these takes no text. */
  private readonly same = new Map<T, number>();

  constructor(private readonly limit: number) {}

  indexOf(value: T): number {
    const same = this.same.get(value);
    if (same !== undefined) return same;
    const index = this.equalOf(value);
    this.same.set(value, index);
    return index;
  }

  private equalOf(value: T): number {
    const key = JSON.stringify(value);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const index = this.entries.push(value) - 1;
    if (index > this.limit)
      throw new RangeError(`a catalog file holds at most ${this.limit + 1} different entries of a kind`);
    this.known.set(key, index);
    return index;
  }
}
