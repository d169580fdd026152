import type { Call, OfferQuery } from '@dstack/backend-base';
import { type OfferTable, tabulateOffers } from '@dstack/core';
import type { ComputeAccount } from './compute-accounts.js';

/** What a backend offers, in columns either way. */
export async function askForOffers(
  { compute, definition }: Pick<ComputeAccount, 'compute' | 'definition'>,
  query: OfferQuery,
  call: Call,
): Promise<OfferTable> {
  const table = await compute.offerTable?.(query, call);
  return table ?? tabulateOffers(await compute.offers(query, call), { keepsOrder: definition.ordersOffers ?? false });
}
