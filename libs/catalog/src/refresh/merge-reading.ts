import type { CatalogRow } from '../catalog-row.js';
import type { Reading } from './reading.js';
import { rowKey } from './row-key.js';

/** The catalog's rows after a reading: what was read, and what the reading says nothing of, as it was. */
export function mergeReading(current: readonly CatalogRow[], { rows, covers }: Reading): CatalogRow[] {
  const read = new Map(rows.map((row) => [rowKey(row), row]));
  const kept = current.filter((row) => !covers(row) && !read.has(rowKey(row)));
  return [...read.values(), ...kept];
}
