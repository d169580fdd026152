import type { CatalogRow } from '../catalog-row.js';
import { rowKey } from './row-key.js';

export interface PriceChange {
  readonly row: CatalogRow;
  /** USD per hour. */
  readonly before: number;
}

export interface CatalogChanges {
  /** Rows before. */
  readonly before: number;
  readonly after: number;
  readonly added: readonly CatalogRow[];
  readonly removed: readonly CatalogRow[];
  readonly repriced: readonly PriceChange[];
}

/** Less than this of a price is rounding. */
const ROUNDING = 1e-4;

export function compareRows(before: readonly CatalogRow[], after: readonly CatalogRow[]): CatalogChanges {
  const known = new Map(before.map((row) => [rowKey(row), row]));
  const added: CatalogRow[] = [];
  const repriced: PriceChange[] = [];
  const seen = new Set<string>();
  for (const row of after) {
    const key = rowKey(row);
    const old = known.get(key);
    seen.add(key);
    if (old === undefined) added.push(row);
    else if (Math.abs(row.price - old.price) > old.price * ROUNDING) repriced.push({ row, before: old.price });
  }
  const removed = before.filter((row) => !seen.has(rowKey(row)));
  return { before: before.length, after: after.length, added, removed, repriced };
}
