import type { OfferTable } from './offer-table.js';

/** What is worked out of a table, kept as long as the table is. */
export function oncePerTable<T>(work: (table: OfferTable) => T): (table: OfferTable) => T {
  const known = new WeakMap<OfferTable, T>();
  return (table) => {
    const found = known.get(table);
    if (found !== undefined) return found;
    const made = work(table);
    known.set(table, made);
    return made;
  };
}
