import type { Catalog } from '@dstack/catalog';
import type { CatalogState } from './catalog-state.js';

export interface DescribedCatalog {
  readonly cloud: string;
  /** How many prices. */
  readonly prices: number;
  readonly sources: readonly {
    readonly source: string;
    readonly date: string;
    readonly is_exact: boolean;
    readonly note?: string;
  }[];
  /** When it was read, ISO 8601; null: it is the one that was installed. */
  readonly read_at: string | null;
  readonly tried_at: string | null;
  /** Why the last try failed. */
  readonly error: string | null;
  readonly notes: readonly string[];
}

export function describeCatalog(cloud: string, catalog: Catalog, state: CatalogState | null): DescribedCatalog {
  return {
    cloud,
    prices: catalog.size,
    sources: catalog.sources.map(({ isExact, ...rest }) => ({ ...rest, is_exact: isExact })),
    read_at: toIso(state?.readAt ?? null),
    tried_at: toIso(state?.triedAt ?? null),
    error: state?.error ?? null,
    notes: state?.notes ?? [],
  };
}

function toIso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
