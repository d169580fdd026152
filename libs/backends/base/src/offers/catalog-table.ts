import { type Catalog, type CatalogRow, type CatalogType, typeResources } from '@dstack/catalog';
import {
  AVAILABILITIES,
  type IntRange,
  type Offer,
  type OfferPlace,
  type OfferTable,
  type OfferType,
  resourceRejections,
  type Wire,
} from '@dstack/core';

export interface CatalogTableRequest {
  readonly backend: Offer['backend'];
  readonly catalog: Catalog;
  /** What of the catalog this version can make machines of. */
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

/** Everything an account could be offered of a catalog, whatever is asked for: made once for as long as the account's facts hold. */
export function catalogTable(request: CatalogTableRequest): OfferTable {
  const { backend } = request;
  const rows = [...placedRows(request).values()];
  const types = new TypeColumn(request.diskRangeGb);
  const places = new PlaceColumn(backend);
  const typeOf = Uint32Array.from(rows, ({ row }) => types.indexOf(row));
  const placeOf = Uint32Array.from(rows, ({ region, zones }) => places.indexOf(region, zones));
  const stock = rows.map(({ row, region }) => request.availabilityOf(row, region));
  return {
    types: types.entries,
    places: places.entries,
    price: Float64Array.from(rows, ({ row }) => row.price),
    typeOf,
    placeOf,
    availabilityOf: Uint8Array.from(stock, ({ availability }) => AVAILABILITIES.indexOf(availability)),
    offerAt(index) {
      const placed = rows[index];
      const known = stock[index];
      if (placed === undefined || known === undefined)
        throw new RangeError(`the table has ${rows.length} rows, and no row ${index}`);
      return toOffer(request, placed, known);
    },
  };
}

/** The offers of a catalog that have what is required, the cheapest first, in objects of the caller's own. */
export function catalogOffers(request: CatalogTableRequest & { readonly requirements: Wire.Requirements }): Offer[] {
  const fits = (type: CatalogType): boolean => {
    const resources = typeResources(type, false);
    return resources !== null && resourceRejections(request.requirements.resources, resources).length === 0;
  };
  const fitting = placedRows({ ...request, isSold: (type) => request.isSold(type) && fits(type) });
  const placed = fitting.size > 0 ? [...fitting.values()] : [...placedRows(request).values()].slice(0, EXAMPLES);
  return placed.map((each) => toOffer(request, each, request.availabilityOf(each.row, each.region)));
}

interface PlacedRow {
  readonly row: CatalogRow;
  readonly region: string;
  zones: readonly string[] | null;
}

/** By price. A catalog by zones: one offer of a region, with all zones of one price. */
function placedRows({ catalog, isSold, placeOf }: CatalogTableRequest): Map<string, PlacedRow> {
  const numbers = new Map<CatalogType, number>();
  const placed = new Map<string, PlacedRow>();
  const rows = catalog.rows({
    type: (type) => isSold(type) && typeResources(type, false) !== null,
    location: (location) => placeOf(location) !== null,
  });
  for (const row of rows) {
    const place = placeOf(row.location);
    if (place === null) continue;
    const number = numbers.get(row.type) ?? numbers.size;
    numbers.set(row.type, number);
    const key = `${number} ${row.isSpot} ${row.price} ${place.region}`;
    const known = placed.get(key);
    if (known === undefined) placed.set(key, { row, ...place });
    else known.zones = mergeZones(known.zones, place.zones);
  }
  return placed;
}

function toOffer(
  { backend, diskRangeGb, runtime = 'shim' }: CatalogTableRequest,
  { row, region, zones }: PlacedRow,
  stock: Pick<Offer, 'availability' | 'availability_reason'>,
): Offer {
  return {
    backend,
    ...offerType(row, diskRangeGb),
    region,
    price: row.price,
    ...stock,
    availability_zones: zones === null ? null : [...zones],
    instance_runtime: runtime,
    blocks: 1,
    total_blocks: 1,
    priced: { date: row.source.date, isDerived: !row.source.isExact },
  };
}

function offerType({ type, isSpot }: CatalogRow, diskRangeGb: IntRange | null): OfferType {
  const resources = typeResources(type, isSpot);
  if (resources === null) throw new RangeError(`${type.name} is no offer: nobody knows what it has`);
  const isDiskChosen = diskRangeGb !== null && resources.disk === undefined;
  return { instance: { name: type.name, resources }, ...(isDiskChosen ? { disk_range_gb: diskRangeGb } : {}) };
}

class TypeColumn {
  readonly entries: OfferType[] = [];
  private readonly known = { spot: new Map<CatalogType, number>(), onDemand: new Map<CatalogType, number>() };

  constructor(private readonly diskRangeGb: IntRange | null) {}

  indexOf(row: CatalogRow): number {
    const known = row.isSpot ? this.known.spot : this.known.onDemand;
    const index = known.get(row.type) ?? this.entries.push(offerType(row, this.diskRangeGb)) - 1;
    known.set(row.type, index);
    return index;
  }
}

class PlaceColumn {
  readonly entries: OfferPlace[] = [];
  private readonly known = new Map<string, number>();

  constructor(private readonly backend: Offer['backend']) {}

  indexOf(region: string, zones: readonly string[] | null): number {
    const key = `${region} ${zones?.join(' ') ?? ''}`;
    const place = { backend: this.backend, region, availability_zones: zones === null ? null : [...zones] };
    const index = this.known.get(key) ?? this.entries.push(place) - 1;
    this.known.set(key, index);
    return index;
  }
}

function mergeZones(known: readonly string[] | null, more: readonly string[] | null): readonly string[] | null {
  if (known === null || more === null) return null;
  return [...new Set([...known, ...more])];
}
