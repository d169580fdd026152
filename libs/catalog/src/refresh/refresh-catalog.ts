import { buildColumns } from '../build-catalog.js';
import type { Catalog, CatalogColumns } from '../catalog.js';
import type { CatalogRow } from '../catalog-row.js';
import { type CatalogChanges, compareRows } from './compare-rows.js';
import { judgeChanges, REFRESH_LIMITS, type RefreshLimits } from './judge-changes.js';
import { mergeReading } from './merge-reading.js';
import type { Reading } from './reading.js';

export interface RefreshedCatalog {
  /** Whether or not it should be taken. */
  readonly columns: CatalogColumns;
  readonly changes: CatalogChanges;
  /** Why it should not be taken without a look; empty: nothing speaks against it. */
  readonly objections: readonly string[];
  readonly failed: Reading['failed'];
  readonly remarks: Reading['remarks'];
}

/** A catalog with what was read of its cloud. */
export function refreshCatalog(
  current: readonly CatalogRow[],
  reading: Reading,
  limits: RefreshLimits = REFRESH_LIMITS,
): RefreshedCatalog {
  const rows = mergeReading(current, reading);
  const changes = compareRows(current, rows);
  const places = reading.failed.map(({ place }) => place).join(', ');
  const nothing = reading.rows.length === 0 ? [`nothing was read${places === '' ? '' : ` of ${places}`}`] : [];
  return {
    columns: buildColumns(rows),
    changes,
    objections: [...nothing, ...judgeChanges(changes, limits)],
    failed: reading.failed,
    remarks: reading.remarks,
  };
}

export function allRows(catalog: Catalog): CatalogRow[] {
  return [...catalog.rows({ type: () => true })];
}
