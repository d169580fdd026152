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
  readonly placeOf: (location: string) => Place | null;
  /** In GB, where the disk is chosen at creation; null: it is the type's own. */
  readonly diskRangeGb: IntRange | null;
  /** `runner` for a backend of containers; default: `shim`. */
  readonly runtime?: 'shim' | 'runner';
  readonly availabilityOf: (row: CatalogRow, region: string) => Pick<Offer, 'availability' | 'availability_reason'>;
}

export interface Place {
  readonly region: string;
  readonly zones: readonly string[] | null;
}

/** So many that do not fit are given when none does: whoever asks can tell what is missing. */
const EXAMPLES = 20;

/** Everything an account could be offered of a catalog, whatever is asked for: made once for as long as the account's facts hold. */
export function catalogTable(request: CatalogTableRequest): OfferTable {
  const { backend } = request;
  const rows = placedRows(request);
  const types = new TypeColumn(request.diskRangeGb);
  const places = new PlaceColumn(backend);
  const typeOf = Uint32Array.from(rows, ({ row }) => types.indexOf(row));
  const placeOf = Uint32Array.from(rows, ({ place }) => places.indexOf(place));
  const stock = rows.map(({ row, place }) => request.availabilityOf(row, place.region));
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
  const placed = fitting.length > 0 ? fitting : placedRows(request).slice(0, EXAMPLES);
  return placed.map((each) => toOffer(request, each, request.availabilityOf(each.row, each.place.region)));
}

interface PlacedRow {
  readonly row: CatalogRow;
  /** The same object for all rows of a location that have no other zones besides. */
  place: Place;
}

/** By price. A catalog by zones: one offer of a region, with all zones of one price. */
function placedRows({ catalog, isSold, placeOf }: CatalogTableRequest): PlacedRow[] {
  const places = new Map<string, Place | null>();
  const numbers = new Numbers();
  /** Rows of one type and region: few, as zones rarely have prices of their own. */
  const alike = new Map<number, PlacedRow[]>();
  const placed: PlacedRow[] = [];
  const rows = catalog.rows({
    type: (type) => isSold(type) && typeResources(type, false) !== null,
    location: (location) => {
      places.set(location, placeOf(location));
      return places.get(location) !== null;
    },
  });
  for (const row of rows) {
    const place = places.get(row.location);
    if (place === undefined || place === null) continue;
    const key = (numbers.of(row.type) * 2 + Number(row.isSpot)) * MOST_REGIONS + numbers.of(place.region);
    const others = alike.get(key) ?? [];
    const known = others.find((other) => other.row.price === row.price);
    if (known === undefined) {
      const each = { row, place };
      placed.push(each);
      others.push(each);
      alike.set(key, others);
    } else known.place = { region: place.region, zones: mergeZones(known.place.zones, place.zones) };
  }
  return placed;
}

/** Types and regions of one catalog together are fewer than this: it names them by 16 bits each. */
const MOST_REGIONS = 2 ** 17;

/** A number for each that it was asked for. */
class Numbers {
  private readonly known = new Map<CatalogType | string, number>();

  of(each: CatalogType | string): number {
    const number = this.known.get(each) ?? this.known.size;
    this.known.set(each, number);
    return number;
  }
}

function toOffer(
  { backend, diskRangeGb, runtime = 'shim' }: CatalogTableRequest,
  { row, place: { region, zones } }: PlacedRow,
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
  private readonly seen = new Map<Place, number>();
  private readonly known = new Map<string, number>();

  constructor(private readonly backend: Offer['backend']) {}

  indexOf(place: Place): number {
    const index = this.seen.get(place) ?? this.add(place);
    this.seen.set(place, index);
    return index;
  }

  private add({ region, zones }: Place): number {
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
