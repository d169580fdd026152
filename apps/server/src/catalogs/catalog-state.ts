/** What is known of a cloud whose price list was read, or should have been. Times in ms since the epoch. */
export interface CatalogState {
  readonly cloud: string;
  /** When the stored catalog was read; null: there is none. */
  readonly readAt: number | null;
  readonly triedAt: number | null;
  /** Tries that failed since the last that did not. */
  readonly failures: number;
  /** Of the last try; null: it succeeded. */
  readonly error: string | null;
  /** Places that failed, types that are not known: for people. */
  readonly notes: readonly string[];
  /** Which file it was, of catalogs that are fetched whole. */
  readonly etag: string | null;
  /** An administrator wants it read now; `forced`: even if it is hardly true. */
  readonly wanted: 'due' | 'forced' | null;
}
