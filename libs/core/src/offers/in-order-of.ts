import type * as Wire from '../wire/generated/api.js';
import { matchOffer } from './match-offer.js';
import type { Offer } from './offer.js';
import type { OfferFilters } from './offer-filters.js';
import { usableFirst } from './order-offers.js';
import type { FittingOffers } from './query-offers.js';

/** What fits of a list whose order means something, in that order. For the few thousand that a marketplace lists, not for catalogues. */
export function inOrderOf(
  offers: readonly Offer[],
  byPrice: FittingOffers,
  requirements: Wire.Requirements,
  filters: OfferFilters,
): FittingOffers {
  return {
    ...byPrice,
    order: 'own',
    take(count) {
      const fitting = offers.flatMap((offer) => {
        const match = matchOffer(offer, requirements, filters);
        return match.ok ? [match.offer] : [];
      });
      return usableFirst(fitting).slice(0, count);
    },
  };
}
