import type { Offer } from './offer.js';
import type { OfferTable } from './offer-table.js';
import { mergeOffers, usableFirst, withoutDuplicates } from './order-offers.js';
import type { FittingOffers } from './query-offers.js';

/** What can be used now first, each part by price, the same place once; of each table only so many rows are made into objects. */
export function bestOffers(found: readonly FittingOffers[], count: number): Offer[] {
  const lists = found.map((fitting) => ({ offers: fitting.take(count), order: fitting.order }));
  return usableFirst(withoutDuplicates(mergeOffers(lists))).slice(0, count);
}

/** A row that fits several asks of one table counts once. */
export function countOffers(found: readonly FittingOffers[]): number {
  const byTable = Map.groupBy(found, ({ table }) => table);
  return [...byTable].reduce((sum, [table, asks]) => sum + countRows(table, asks), 0);
}

/** USD per hour; null: nothing fits. */
export function highestPrice(found: readonly FittingOffers[]): number | null {
  const dearest = found.flatMap(({ table, rows }) => (rows.length === 0 ? [] : [table.price[rows.at(-1) ?? 0] ?? 0]));
  return dearest.length === 0 ? null : Math.max(...dearest);
}

function countRows(table: OfferTable, asks: readonly FittingOffers[]): number {
  const [only] = asks;
  if (asks.length === 1 && only !== undefined) return only.rows.length;
  const fits = new Uint8Array(table.price.length);
  for (const { rows } of asks) for (const row of rows) fits[row] = 1;
  return fits.reduce((sum, each) => sum + each, 0);
}
