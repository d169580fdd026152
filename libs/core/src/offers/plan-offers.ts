import { bestOffers, countOffers, highestPrice } from './best-offers.js';
import type { Offer } from './offer.js';
import { byPrice, usableFirst } from './order-offers.js';
import type { FittingOffers } from './query-offers.js';

export interface PlannedOffers {
  readonly offers: Offer[];
  /** Before the cut. */
  readonly totalOffers: number;
  readonly maxPrice: number | null;
}

/** What a plan shows: idle instances first whatever their price, then what can be created by price, then what cannot be used now. */
export function planOffers(pool: readonly Offer[], found: readonly FittingOffers[], maxOffers = 50): PlannedOffers {
  const prices = [...pool.map((offer) => offer.price), highestPrice(found)].filter((price) => price !== null);
  return {
    offers: usableFirst([...byPrice(pool), ...bestOffers(found, maxOffers)]).slice(0, maxOffers),
    totalOffers: pool.length + countOffers(found),
    maxPrice: prices.length === 0 ? null : Math.max(...prices),
  };
}
