import type { Wire } from '@dstack/sdk';

/** `Catalog prices: aws of 2026-07-20, gcp of 2026 (~ computed)`; null where all backends were asked just now, or an older server does not tell. Pure. */
export function priceOrigins(offers: readonly Wire.InstanceOfferWithAvailability[]): string | null {
  const dates = new Map<string, Set<string>>();
  for (const offer of offers) {
    if (!('price_date' in offer) || typeof offer.price_date !== 'string') continue;
    dates.set(offer.backend, (dates.get(offer.backend) ?? new Set()).add(offer.price_date));
  }
  if (dates.size === 0) return null;
  const parts = [...dates].map(([backend, of]) => `${backend} of ${[...of].sort().join(', ')}`);
  return `Catalog prices: ${parts.join('; ')}${offers.some(isDerived) ? '; ~ computed from others' : ''}`;
}

export function isDerived(offer: object): boolean {
  return 'price_is_derived' in offer && offer.price_is_derived === true;
}
