import type { Compute, OfferQuery } from '@dstack/backend-base';
import type { Call } from '@dstack/backend-base';
import { type OfferTable, tabulateOffers } from '@dstack/core';

/** What a backend offers, in columns either way. */
export async function askForOffers(compute: Compute, query: OfferQuery, call: Call): Promise<OfferTable> {
  const table = await compute.offerTable?.(query, call);
  return table ?? tabulateOffers(await compute.offers(query, call));
}
