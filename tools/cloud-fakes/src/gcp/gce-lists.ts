import { GoogleRefusal } from './google-refusal.js';
import { type Json, last, REGIONS, type Zoned } from './gce-types.js';

/** Items stand under their zones; an empty zone says so. */
export function aggregated<T extends Zoned>(
  kind: string,
  all: readonly T[],
  query: URLSearchParams,
  pageSize: number,
  view: (item: T) => unknown,
) {
  const matches = filterOf(query.get('filter') ?? '');
  const { items, ...rest } = page(all.filter(matches), query, pageSize);
  const zones = Object.values(REGIONS).flat();
  const scopes = zones.map((zone) => {
    const here = items.filter((item) => last(item.zone) === zone).map(view);
    const warning = {
      code: 'NO_RESULTS_ON_PAGE',
      message: `There are no results for scope 'zones/${zone}' on this page.`,
    };
    return [`zones/${zone}`, here.length > 0 ? { [kind]: here } : { warning }] as const;
  });
  return { items: Object.fromEntries(scopes), ...rest };
}

export function page<T>(
  all: readonly T[],
  query: URLSearchParams,
  pageSize: number,
): { items: readonly T[]; nextPageToken?: string } {
  const from = Number(query.get('pageToken') ?? 0);
  const items = all.slice(from, from + pageSize);
  const next = from + pageSize;
  return { items, ...(next < all.length ? { nextPageToken: String(next) } : {}) };
}

/** Of Google's filters, `name = "…"` and `labels.key = "…"`, joined by AND, and equality of the rest. */
function filterOf(filter: string): (item: object) => boolean {
  const terms = filter === '' ? [] : filter.split(' AND ').map((term) => term.replace(/^\(|\)$/g, ''));
  const wanted = terms.map((term) => {
    const [, path, quoted, plain] = /^([\w.]+) = (?:"([^"]*)"|(\w+))$/.exec(term) ?? [];
    if (path === undefined) throw new GoogleRefusal(400, 'invalid', `Invalid value for field 'filter': '${filter}'.`);
    return { path: path.split('.'), value: quoted ?? plain };
  });
  return (item) =>
    wanted.every(({ path, value }) => {
      // Members of the item by name.
      const found = path.reduce<unknown>((of, key) => (of as Json | undefined)?.[key], item);
      return String(found) === value;
    });
}
