import type { CatalogRow } from '../catalog-row.js';

/** What was read of a cloud's price list. */
export interface Reading {
  readonly rows: readonly CatalogRow[];
  /**
   * Whether the list would have told this row of the catalog, were it still sold: such a row is replaced by what was read, or goes. All
   * others stay, with their old date.
   */
  readonly covers: (row: CatalogRow) => boolean;
  /** Places whose prices could not be read. */
  readonly failed: readonly FailedPlace[];
  /** What people should know, such as types of which too little is known to be offered. */
  readonly remarks: readonly string[];
}

export interface FailedPlace {
  readonly place: string;
  readonly error: string;
}
