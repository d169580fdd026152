import { isUsable, type Offer } from './offer.js';

/** One backend's list. `own`: its order means something (a score) and is kept; `price`: it is sorted. */
export interface OfferList {
  readonly offers: readonly Offer[];
  readonly order: 'price' | 'own';
}

/** One list by price; a backend's own order is never broken, so its cheaper offers may wait behind its better ones. */
export function mergeOffers(lists: readonly OfferList[]): Offer[] {
  const queues = lists.map(({ offers, order }) => (order === 'own' ? [...offers] : byPrice(offers)));
  const merged: Offer[] = [];
  const heads = queues.map(() => 0);
  for (;;) {
    let cheapest = -1;
    let cheapestPrice = Infinity;
    for (const [index, queue] of queues.entries()) {
      const head = queue[heads[index] ?? 0];
      if (head !== undefined && (cheapest === -1 || head.price < cheapestPrice)) {
        cheapest = index;
        cheapestPrice = head.price;
      }
    }
    const next = queues[cheapest]?.[heads[cheapest] ?? 0];
    if (next === undefined) return merged;
    merged.push(next);
    heads[cheapest] = (heads[cheapest] ?? 0) + 1;
  }
}

/** Stable. */
export function usableFirst(offers: readonly Offer[]): Offer[] {
  return [...offers.filter(isUsable), ...offers.filter((offer) => !isUsable(offer))];
}

/** The same place offered to several fleets is shown once. */
export function withoutDuplicates(offers: readonly Offer[]): Offer[] {
  const seen = new Set<string>();
  return offers.filter((offer) => {
    const { resources } = offer.instance;
    const key = JSON.stringify([
      offer.instance_id ?? null,
      offer.backend,
      offer.region,
      offer.instance.name,
      resources.spot,
      resources.cpus,
      resources.memory_mib,
      resources.gpus,
      resources.disk ?? null,
      offer.price,
      offer.blocks ?? 1,
      offer.total_blocks ?? 1,
      offer.availability_zones ?? null,
    ]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

export function byPrice(offers: readonly Offer[]): Offer[] {
  return [...offers].sort((a, b) => a.price - b.price);
}
