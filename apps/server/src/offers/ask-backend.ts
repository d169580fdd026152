import type { Call, OfferQuery } from '@dstack/backend-base';
import { tabulateOffers } from '@dstack/core';
import type { ComputeAccount } from './compute-accounts.js';
import type { Answer } from './judge-answer.js';

/** What a backend offers, in columns either way. */
export async function askForOffers(
  { compute, definition }: ComputeAccount,
  query: OfferQuery,
  call: Call,
): Promise<Pick<Answer, 'table' | 'inOwnOrder'>> {
  const table = await compute.offerTable?.(query, call);
  if (table !== undefined && table !== null) return { table, inOwnOrder: null };
  const offers = await compute.offers(query, call);
  return { table: tabulateOffers(offers), inOwnOrder: definition.ordersOffers === true ? offers : null };
}
