import { type Catalog, type CatalogRow, type CatalogType, typeResources } from '@dstack/catalog';
import { type IntRange, type Offer, resourceRejections, type Wire } from '@dstack/core';

export interface CatalogOffersRequest {
  readonly backend: Offer['backend'];
  readonly catalog: Catalog;
  readonly requirements: Wire.Requirements;
  /** Whether the account sells the type at all. */
  readonly isSold: (type: CatalogType) => boolean;
  /** Where a location of the catalog is; null: not where the account is used. */
  readonly placeOf: (location: string) => { readonly region: string; readonly zones: readonly string[] | null } | null;
  /** In GB, where the disk is chosen at creation; null: it is the type's own. */
  readonly diskRangeGb: IntRange | null;
  /** `runner` for a backend of containers; default: `shim`. */
  readonly runtime?: 'shim' | 'runner';
  readonly availabilityOf: (row: CatalogRow, region: string) => Pick<Offer, 'availability' | 'availability_reason'>;
}

/** So many that do not fit are given when none does: whoever asks can tell what is missing. */
const EXAMPLES = 20;

/** The offers of a catalog that have what is required, the cheapest first, in objects of the caller's own. */
export function catalogOffers(request: CatalogOffersRequest): Offer[] {
  const { requirements } = request;
  const fits = (type: CatalogType): boolean => {
    const resources = typeResources(type, false);
    return resources !== null && resourceRejections(requirements.resources, resources).length === 0;
  };
  const fitting = collect(request, fits, Infinity);
  return fitting.length > 0 ? fitting : collect(request, (type) => typeResources(type, false) !== null, EXAMPLES);
}

function collect(request: CatalogOffersRequest, fits: (type: CatalogType) => boolean, limit: number): Offer[] {
  const places = new Map<string, Offer>();
  const { catalog, isSold, placeOf } = request;
  const rows = catalog.rows({
    type: (type) => isSold(type) && fits(type),
    location: (location) => placeOf(location) !== null,
  });
  for (const row of rows) {
    const place = placeOf(row.location);
    const resources = typeResources(row.type, row.isSpot);
    if (place === null || resources === null) continue;
    const key = `${row.type.name} ${row.type.gpu?.name} ${row.type.gpu?.count} ${row.isSpot} ${row.price} ${place.region}`;
    const known = places.get(key);
    // A catalog by zones: one offer of a region, with all zones of one price.
    if (known !== undefined) known.availability_zones = mergeZones(known.availability_zones ?? null, place.zones);
    else if (places.size < limit) places.set(key, toOffer(request, row, resources, place));
  }
  return [...places.values()];
}

function toOffer(
  { backend, diskRangeGb, runtime = 'shim', availabilityOf }: CatalogOffersRequest,
  row: CatalogRow,
  resources: Wire.Resources,
  { region, zones }: { readonly region: string; readonly zones: readonly string[] | null },
): Offer {
  return {
    backend,
    instance: { name: row.type.name, resources },
    region,
    price: row.price,
    ...availabilityOf(row, region),
    availability_zones: zones === null ? null : [...zones],
    instance_runtime: runtime,
    blocks: 1,
    total_blocks: 1,
    priced: { date: row.source.date, isDerived: !row.source.isExact },
    ...(diskRangeGb === null || resources.disk !== undefined ? {} : { disk_range_gb: diskRangeGb }),
  };
}

function mergeZones(known: string[] | null, more: readonly string[] | null): string[] | null {
  if (known === null || more === null) return null;
  return [...new Set([...known, ...more])];
}
